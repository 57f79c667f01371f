import { test } from 'tap'
import * as ws from 'ws'
import * as codes from '../../../src/protocol/close-codes.js'

test('the sendable codes are those that ws accepts', async (t) => {
  const wrong: number[] = []
  for (let code = -1; code <= 5001; code++) {
    if (codes.isSendableCloseCode(code) !== isTakenByWs(code)) wrong.push(code)
  }
  t.strictSame(wrong, [])
})

for (const code of [NaN, 1000.5, '1000', null, undefined, {}, 1000n]) {
  test(`${String(code)} is not a sendable code`, async (t) => {
    t.equal(codes.isSendableCloseCode(code), false)
  })
}

function isTakenByWs (code: number): boolean {
  const { Sender } = ws as unknown as { Sender: new (socket: object) => Sender }
  const socket = { cork () {}, uncork () {}, write () {} }
  try {
    new Sender(socket).close(code, '', false)
    return true
  } catch {
    return false
  }
}

interface Sender {
  close (code: number, reason: string, mask: boolean): void
}
