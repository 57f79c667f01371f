import { test } from 'tap'
import { createEstimates } from '../../../../src/browser/time/estimates.js'
import { createQuantum } from '../../../../src/browser/time/device-clock.js'

/** Estimates of two servers whose round trips take so many milliseconds. */
function setUp (roundTripsMs: readonly [number, number], isOnlyServer: boolean) {
  const estimates = createEstimates(createQuantum(), 0)
  for (const [index, tripMs] of roundTripsMs.entries()) {
    const serverMs = 1000 * (index + 1) + tripMs / 2
    estimates.estimatorFor({ server: index, clockSteps: 0 }, isOnlyServer)
      .onExchange({ t1: 0, t2: serverMs, t3: serverMs, t4: tripMs })
  }
  estimates.choose(200)
  return estimates
}

for (const [title, roundTripsMs, isOnlyServer, offset] of [
  ['of several servers, the first one counts if its error is smaller', [10, 100], false, 1000],
  ['of several servers, the second one counts if its error is smaller', [100, 10], false, 2000],
  ['over a connection to one server, that server counts', [10, 100], true, 2000]
] as const) {
  test(title, async (t) => {
    t.equal(Math.round(setUp(roundTripsMs, isOnlyServer).at(200).offset), offset)
  })
}

test('there is no estimate before choose(), nor after clear()', async (t) => {
  const estimates = setUp([10, 100], false)
  estimates.clear()
  for (const { at } of [estimates, createEstimates(createQuantum(), 0)]) {
    t.strictSame(at(200), { offset: 0, skew: 0, error: Infinity })
  }
})
