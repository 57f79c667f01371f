import { test } from 'tap'
import type { TimeSocketClient } from '../../../src/index.js'
import { closing } from './closing.js'
import { controlFrames } from './control-frames.js'
import { fragmentation } from './fragmentation.js'
import type { FrameCase } from './frame-case.js'
import { framing, masking, masks } from './framing.js'
import { handshakes } from './handshakes.js'
import { runFrames } from './run-frames.js'
import { runHandshake } from './run-handshake.js'
import { utf8 } from './utf8.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'

const BATCH_SIZE = 20

const sections: Record<string, readonly FrameCase[]> = {
  '§5.1 masking': masking,
  '§5.2 framing': framing,
  '§5.3 masks': masks,
  '§5.4 fragmentation': fragmentation,
  '§5.5 control frames': controlFrames,
  '§5.5.1 and §7 closing': closing,
  '§8.1 UTF-8': utf8
}

test('on a real port, RFC 6455 §4: the handshake', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, { protocols: ['lecture.v2'] })
  const port = await listen(app)
  await inBatches(handshakes, async (handshake) => {
    t.strictSame(await runHandshake(port, handshake), handshake.answer, handshake.title)
  })
  const made = handshakes.filter(({ answer }) => answer.status === 101)
  t.equal(timeSocket.stats().accepted, made.length)
})

for (const [section, cases] of Object.entries(sections)) {
  test(`on a real port, RFC 6455 ${section}`, async (t) => {
    const messages = new Map<string, unknown[]>(cases.map(({ title }) => [title, []]))
    const { app, timeSocket } = await createTimeApp(t, {
      context: ({ query }) => (query as { title: string }).title,
      onMessage ({ context }: TimeSocketClient<string>, data) {
        messages.get(context)?.push(data)
      },
      messageRate: false,
      maxMessageBytes: 70_000
    })
    const port = await listen(app)
    await inBatches(cases, async (frameCase) => {
      const { title } = frameCase
      const frames = await runFrames(port, `/time?title=${encodeURIComponent(title)}`, frameCase)
      t.strictSame({ frames, messages: messages.get(title) }, expected(frameCase), title)
    })
    t.equal(messages.size, cases.length, 'each title is there once')
    t.equal(timeSocket.stats().accepted, cases.length)
  })
}

/** After a close frame, the server ends TCP. */
function expected ({ frames, messages }: FrameCase) {
  const isClosed = frames.at(-1)?.startsWith('close ') === true
  return { frames: isClosed ? [...frames, 'ended'] : frames, messages }
}

async function inBatches<Value> (
  values: readonly Value[], run: (value: Value) => Promise<void>
): Promise<void> {
  for (let start = 0; start < values.length; start += BATCH_SIZE) {
    await Promise.all(values.slice(start, start + BATCH_SIZE).map(run))
  }
}
