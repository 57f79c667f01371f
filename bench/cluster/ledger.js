/**
 * Keeps the books of what the clients of one server get: `origin:number:sentMs:` and padding.
 *
 * @param {number} clientCount
 * @param {number} own which origin this server is.
 */
export function createLedger (clientCount, own) {
  /** By origin, of each client: the latest number, and how many it had. */
  const latest = new Map()
  const delays = []
  const arrivals = []
  let duplicates = 0
  let disorders = 0

  function rowOf (origin) {
    if (!latest.has(origin)) {
      const seen = Array.from({ length: clientCount }, () => new Set())
      latest.set(origin, { seen, last: new Array(clientCount).fill(0) })
    }
    return latest.get(origin)
  }

  return {
    record (client, text, atMs) {
      const [origin, number, sentMs] = text.split(':', 3).map(Number)
      const { seen, last } = rowOf(origin)
      if (seen[client].has(number)) duplicates++
      else if (number < last[client]) disorders++
      seen[client].add(number)
      last[client] = Math.max(last[client], number)
      if (origin === own || client > 0) return
      delays.push(atMs - sentMs)
      arrivals.push({ atMs, sentMs })
    },
    /** How many messages of each origin the clients have had: those that had the fewest. */
    read () {
      const received = Object.fromEntries([...latest].map(([origin, { seen }]) => {
        return [origin, Math.min(...seen.map(({ size }) => size))]
      }))
      return { received, duplicates, disorders, delays }
    },
    takeDelays: () => delays.splice(0),
    /** When the first message of another server came that was sent after that moment. */
    firstAfter: (ms) => arrivals.find(({ sentMs }) => sentMs > ms)?.atMs,
    originCount: () => latest.size
  }
}
