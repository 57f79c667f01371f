let turn = 0
let isCounting = false

/**
 * Numbers the turns of the event loop in which it is asked, upwards. Two answers
 * are equal only if no whole turn, with its reading and writing, lies between them.
 */
export function currentTurn (): number {
  if (!isCounting) {
    isCounting = true
    // The first may still run in the phase after this one: only the second is a whole turn later.
    setImmediate(() => setImmediate(() => {
      turn++
      isCounting = false
    }))
  }
  return turn
}
