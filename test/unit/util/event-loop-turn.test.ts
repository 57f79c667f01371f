import { test } from 'tap'
import { currentTurn } from '../../../src/util/event-loop-turn.js'

/** Waits for one turn of the event loop. */
function nextTurn (): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('is the same within a turn', async (t) => {
  const turn = currentTurn()
  await Promise.resolve()
  t.equal(currentTurn(), turn)
  await new Promise<void>((resolve) => process.nextTick(resolve))
  t.equal(currentTurn(), turn)
})

test('is higher after a whole turn', async (t) => {
  const turn = currentTurn()
  for (let count = 0; count < 3; count++) await nextTurn()
  t.ok(currentTurn() > turn)
})

test('counts only turns in which it is called', async (t) => {
  for (let count = 0; count < 3; count++) await nextTurn()
  const turn = currentTurn()
  for (let count = 0; count < 50; count++) await nextTurn()
  t.equal(currentTurn(), turn + 1)
})
