import { test } from 'tap'
import { createFormatChoice, decodePayload } from '../../../src/cluster/format-choice.js'
import { encodePack, encodeSender } from '../../../src/cluster/binary-format.js'
import { encodeJson } from '../../../src/cluster/json-format.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

test('a server writes the old format for its first twelve seconds', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const format = createFormatChoice(time.timers)
  t.equal(format.mustUseOldFormat(), true)
  time.advance(11_999)
  t.equal(format.mustUseOldFormat(), true)
  time.advance(1)
  t.equal(format.mustUseOldFormat(), false)
})

test('a server writes the old format for twelve seconds after hearing from a peer that reads only that format', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const format = createFormatChoice(time.timers)
  time.advance(60_000)
  format.noticePeer(2)
  format.noticePeer(3)
  t.equal(format.mustUseOldFormat(), false)
  format.noticePeer(1)
  time.advance(11_999)
  t.equal(format.mustUseOldFormat(), true)
  time.advance(1)
  t.equal(format.mustUseOldFormat(), false)
})

test('payloads of either format are read, and no others', async (t) => {
  const identity = { registration: '/time', peer: 'a' }
  const alive = { type: 'alive', ...identity, seq: 5, reads: 2 } as const
  t.strictSame(decodePayload(encodeJson(alive)), [alive])
  t.strictSame(decodePayload(encodePack(encodeSender(identity), 1, 0, [])), [])
  t.strictSame([decodePayload(Buffer.from('poison\n')), decodePayload(Buffer.alloc(0))],
    [undefined, undefined])
})
