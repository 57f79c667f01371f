import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { test } from 'tap'
import * as ws from 'ws'
import { encodeFrame } from '../../../src/protocol/frame.js'

/** ws's own parser, which its types leave out. */
const { Receiver } = ws as unknown as {
  Receiver: new (options: object) => Writable
}

/** Reads a frame with it. */
async function parse (bytes: Buffer): Promise<[data: Buffer, isBinary: boolean]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 })
  const message = once(receiver, 'message')
  receiver.write(bytes)
  return await message as [Buffer, boolean]
}

test('encodes the example of RFC 6455 §5.7', async (t) => {
  t.equal(encodeFrame('Hello').bytes.toString('hex'), '810548656c6c6f')
})

for (const byteCount of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
  test(`a parser reads back text of ${byteCount} bytes`, async (t) => {
    const text = 'é'.repeat(Math.floor(byteCount / 2)) + 'e'.repeat(byteCount % 2)
    const frame = encodeFrame(text)
    const [data, isBinary] = await parse(frame.bytes)
    t.strictSame([data.toString(), isBinary, frame.binary], [text, false, false])
    t.equal(frame.payload.toString(), text)
  })

  test(`a parser reads back ${byteCount} bytes`, async (t) => {
    const bytes = Uint8Array.from({ length: byteCount }, (_, index) => index % 251)
    const frame = encodeFrame(bytes)
    const [data, isBinary] = await parse(frame.bytes)
    t.strictSame([data.equals(bytes), isBinary, frame.binary], [true, true, true])
  })
}

test('copies the bytes: what happens to them later does not matter', async (t) => {
  const bytes = Uint8Array.of(1, 2, 3)
  const frame = encodeFrame(bytes)
  bytes.fill(9)
  t.strictSame([...frame.payload], [1, 2, 3])
})
