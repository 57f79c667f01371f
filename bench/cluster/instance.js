import { serve } from '../peer.js'
import { cpuMicros, nowMs } from '../usage.js'
import { createLedger } from './ledger.js'

/** One server of a cluster, with its clients. */
let server
let ledger
let sentCount = 0
let timer
let name

serve({
  async start ({ file, redisPort, clientCount, index }) {
    name = index
    ledger = createLedger(clientCount, index)
    server = await (await import(`./${file}`)).start({
      redisPort, clientCount, onMessage: (client, text) => ledger.record(client, text, nowMs())
    })
  },
  /** Broadcasts so many messages a second, until told to stop. Each says when it was due. */
  run ({ perSecond, bytes = 0 }) {
    const startMs = nowMs()
    const before = sentCount
    const padding = 'x'.repeat(bytes)
    timer = setInterval(() => {
      const dueCount = Math.floor((nowMs() - startMs) * perSecond / 1000)
      while (sentCount - before < dueCount) {
        send(padding, startMs + (sentCount - before + 1) * 1000 / perSecond)
      }
    }, 1000 / perSecond)
  },
  send: ({ bytes }) => send('x'.repeat(bytes), nowMs()),
  /** Blocks this server and its clients. */
  stall ({ ms }) {
    const endMs = nowMs() + ms
    while (nowMs() < endMs);
  },
  halt: () => clearInterval(timer),
  report: () => ({ sentCount, ...ledger.read(), stats: server.stats?.() }),
  /** What does not change any more when all has come. */
  books: () => [ledger.read().received, server.stats?.().counted],
  firstAfter: ({ ms }) => ledger.firstAfter(ms),
  /** The delays of other servers' messages since the last call. */
  takeDelays: () => ledger.takeDelays(),
  progress: () => ({ sentCount, received: ledger.read().received, cpuMicros: cpuMicros() }),
  ready: () => ledger.originCount()
})

function send (padding, dueMs) {
  server.broadcast(`${name}:${++sentCount}:${dueMs}:${padding}`)
}
