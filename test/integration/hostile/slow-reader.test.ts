import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { CloseInfo } from '../../../src/index.js'
import { listen } from '../../helpers/network/app.js'
import { runSlowReaders } from '../../helpers/network/slow-readers.js'
import { https } from '../../helpers/network/tls.js'

const MESSAGE_COUNT = 150

for (const [title, scheme, serverOptions] of [
  ['TCP', 'ws', {}], ['TLS', 'wss', { https }]
] as const) {
  test(`over ${title}, a client that never reads is terminated; all others get every message in order`, async (t) => {
    const closes: CloseInfo[] = []
    const app = Fastify(serverOptions as object) as unknown as FastifyInstance
    t.teardown(() => app.close())
    await app.register(timeSocket, {
      immediate: false, interval: 3_600_000, onClose: (_client, info) => closes.push(info)
    })
    const port = await listen(app)
    const numbers = await runSlowReaders({
      app,
      url: `${scheme}://127.0.0.1:${port}/time`,
      ca: https.cert,
      pairCount: 5,
      messageCount: MESSAGE_COUNT,
      messageBytes: 65_536,
      everyMs: 2
    })
    const all = Array.from({ length: MESSAGE_COUNT }, (_, number) => number)
    for (const seen of numbers) t.strictSame(seen, all)
    t.strictSame(closes, Array.from({ length: 5 }, () => ({ code: 1006, reason: '', cause: 'slow' })))
    t.equal(app.timeSocket.clients.size, 5)
  })
}
