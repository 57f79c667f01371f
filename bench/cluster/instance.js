import { serve } from '../peer.js'
import { nowMs } from '../usage.js'
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
  /** Broadcasts so many messages a second, until told to stop. */
  run ({ perSecond }) {
    const startMs = nowMs()
    const before = sentCount
    timer = setInterval(() => {
      const dueCount = Math.floor((nowMs() - startMs) * perSecond / 1000)
      while (sentCount - before < dueCount) send('')
    }, 1000 / perSecond)
  },
  send: ({ bytes }) => send('x'.repeat(bytes)),
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
  ready: () => ledger.originCount()
})

function send (padding) {
  server.broadcast(`${name}:${++sentCount}:${nowMs()}:${padding}`)
}
