/**
 * Balances the books of a run: what was sent against what the clients have had.
 *
 * @param {object} run of `runFault`.
 * @returns sums over all servers that are still there; `counted` is undefined where they count
 *   nothing themselves.
 */
export function balance ({ before, after, recoveryMs }) {
  const sum = { sent: 0, received: 0, lost: 0, localLost: 0, duplicates: 0, disorders: 0 }
  const own = { counted: 0, missedTicks: 0 }
  const alive = after.flatMap((report, index) => report === undefined ? [] : [index])
  for (const receiver of alive) {
    const { received, duplicates, disorders, stats } = after[receiver]
    sum.duplicates += duplicates
    sum.disorders += disorders
    own.counted += (stats?.counted ?? NaN) - (before[receiver].stats?.counted ?? 0)
    own.missedTicks += (stats?.missedTicks ?? NaN) - (before[receiver].stats?.missedTicks ?? 0)
    for (const origin of alive) {
      const sent = after[origin].sentCount - before[origin].sentCount
      const got = (received[origin] ?? 0) - (before[receiver].received[origin] ?? 0)
      if (origin === receiver) {
        sum.localLost += sent - got
        continue
      }
      sum.sent += sent
      sum.received += got
      sum.lost += sent - got
    }
  }
  const died = after.length - alive.length
  const hasStats = !Number.isNaN(own.counted)
  return { ...sum, ...(hasStats ? own : {}), recoveryMs, died }
}

/**
 * Messages wait up to ten seconds for Redis. If the servers recover in less than this time once
 * Redis is back, the machine was not overloaded: the outage was shorter, and nothing may be lost.
 */
const FAST_RECOVERY_MS = 3000

/** Which promises a run has broken, in words. Ticks are not judged: a busy machine misses some. */
export function broken (sums, { losesNothing = false, deaths = 0, maxRecoveryMs } = {}) {
  const { lost, counted, localLost, duplicates, disorders, recoveryMs, died } = sums
  const mustLoseNothing = losesNothing && recoveryMs <= FAST_RECOVERY_MS
  return [
    [counted !== lost, `lost ${lost}, counted ${counted}`],
    [mustLoseNothing && lost > 0, `lost ${lost} although Redis could keep everything`],
    [localLost > 0, `${localLost} did not reach clients of the same server`],
    [duplicates > 0, `${duplicates} came twice`],
    [disorders > 0, `${disorders} came out of order`],
    [recoveryMs > maxRecoveryMs, `recovered only after ${Math.round(recoveryMs)} ms`],
    [died !== deaths, `${died} servers ended`]
  ].flatMap(([isBroken, sentence]) => isBroken ? [sentence] : [])
}
