let turn = 0
let isCountingTurns = false

/**
 * Returns a number for the current turn of the event loop, which never decreases. Two calls return
 * the same number only if no complete turn, with its reads and writes, lies between them.
 */
export function currentTurn (): number {
  if (!isCountingTurns) {
    isCountingTurns = true
    // The first callback may still run in the current turn. The second is a whole turn later.
    setImmediate(() => setImmediate(() => {
      turn++
      isCountingTurns = false
    }))
  }
  return turn
}
