/**
 * For the record: what stalls and half-open clients do to a bare `@fastify/websocket` route with
 * the heartbeat of the README of ws. Prints a table.
 */
import { test } from 'tap'
import { runLiveness } from '../helpers/hostile/liveness.js'
import type { ServerKind } from '../helpers/hostile/server-process.js'

const SERVERS: [ServerKind, string][] = [
  ['bare', '@fastify/websocket, heartbeat of ws'], ['time-socket', 'fastify-time-socket']
]

test('on real ports, a bare route and this plugin are stalled and stopped', async (t) => {
  t.comment('| server | 100 half-open gone | of 500 lost by a 3 s stall | by a 10 s SIGSTOP |')
  t.comment('|---|---|---|---|')
  for (const [kind, server] of SERVERS) {
    const { goneMs, lostByStalls, lostByStops } = await runLiveness(t, {
      kind,
      halfOpen: 100,
      live: 500,
      heartbeat: { interval: 2000, timeout: 1000 },
      interval: 500,
      stallsMs: [3000],
      stopsMs: [10_000]
    })
    const took = goneMs === undefined ? 'never' : `after ${Math.round(goneMs)} ms`
    t.comment(`| ${server} | ${took} | ${lostByStalls} | ${lostByStops} |`)
    if (kind === 'time-socket') t.strictSame([lostByStalls, lostByStops], [0, 0])
  }
})
