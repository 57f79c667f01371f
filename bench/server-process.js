import { serve } from './peer.js'
import { cpuMicros, memoryAfterGc, nowMs } from './usage.js'

/** The contender that this process runs. */
let server
let stopProbe

serve({
  /** @returns where its clients find it. */
  async start ({ file, ...settings }) {
    server = await (await import(`./contenders/${file}`)).start(settings)
    const { port, path } = server
    return { port, path }
  },
  count: () => server.count(),
  cpuMicros,
  memory: memoryAfterGc,
  /** @returns when it began, on the clock of all processes. */
  fanOut ({ seq, way }) {
    const startedMs = nowMs()
    server.fanOut(seq, way)
    return startedMs
  },
  startProbe () {
    stopProbe = probeTurns()
  },
  /** @returns the longest turn of the event loop since `startProbe`, in milliseconds. */
  stopProbe: () => stopProbe()
})

/** Looks at the clock in every turn of the event loop: takes all the CPU there is. */
function probeTurns () {
  let previousMs = nowMs()
  let longestMs = 0
  let handle = setImmediate(look)

  function look () {
    const atMs = nowMs()
    longestMs = Math.max(longestMs, atMs - previousMs)
    previousMs = atMs
    handle = setImmediate(look)
  }

  return () => {
    clearImmediate(handle)
    return longestMs
  }
}
