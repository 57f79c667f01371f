import { test } from 'tap'
import { cutReason, endingAfter, SHUTTING_DOWN } from '../../../src/connections/endings.js'

for (const [errorCode, code, cause] of [
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009, 'size'],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009, 'size'],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008, 'rate'],
  ['WS_ERR_INVALID_UTF8', 1007, 'protocol'],
  ['Z_DATA_ERROR', 1007, 'protocol'],
  ['WS_ERR_INVALID_OPCODE', 1002, 'protocol'],
  [undefined, 1002, 'protocol']
] as const) {
  test(`after ${errorCode} the code is ${code}`, async (t) => {
    t.strictSame(endingAfter(errorCode), { code, reason: '', cause })
  })
}

test('an ending cannot be changed', async (t) => {
  t.throws(() => { (SHUTTING_DOWN as { code: number }).code = 1000 }, TypeError)
})

test('a reason is cut between characters', async (t) => {
  t.equal(cutReason('x'.repeat(122) + 'é'), 'x'.repeat(122))
})
