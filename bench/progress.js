/**
 * A line that says what is being done: overwritten on a terminal, elsewhere only its beginnings,
 * one for each kind of round.
 */
export function createProgress (stream = process.stderr) {
  let lastKind
  return {
    show (text) {
      if (stream.isTTY) {
        stream.write(`\r\x1b[K${text}`)
        return
      }
      const [kind] = text.split(/ \d|:/)
      if (kind !== lastKind) stream.write(`${kind} …\n`)
      lastKind = kind
    },
    clear () {
      if (stream.isTTY) stream.write('\r\x1b[K')
      lastKind = undefined
    }
  }
}
