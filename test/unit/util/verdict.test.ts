import { test } from 'tap'
import { verdictOf } from '../../../src/util/verdict.js'

for (const answer of [true, 1, 'yes', {}]) {
  test(`takes ${String(answer)} for a yes`, async (t) => {
    t.equal(verdictOf(answer, 'what came'), true)
  })
}

for (const answer of [false, 0, '', null, undefined, NaN]) {
  test(`takes ${String(answer) || 'nothing'} for a no`, async (t) => {
    t.equal(verdictOf(answer, 'what came'), false)
  })
}

for (const [title, answer] of [
  ['resolves', Promise.resolve(false)],
  ['rejects, which nobody else need handle', Promise.reject(new Error('no'))]
] as const) {
  test(`refuses a promise that ${title}`, async (t) => {
    t.throws(() => verdictOf(answer, 'what came'), {
      code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message: /^what came must be a boolean, got Promise/
    })
  })
}
