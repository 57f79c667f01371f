import { test } from 'tap'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { collectGarbage } from '../../helpers/network/garbage.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

/** Resolves when all of these have been collected. */
async function collected (references: WeakRef<object>[], what: string): Promise<void> {
  await waitFor(() => {
    collectGarbage()
    return references.every((reference) => reference.deref() === undefined)
  }, `collecting ${what}`)
}

test('a connection keeps neither its request nor its response alive', async (t) => {
  const references: WeakRef<object>[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    preValidation: async (request, reply) => {
      for (const object of [request, request.raw, reply, reply.raw]) {
        references.push(new WeakRef(object))
      }
    }
  })
  const port = await listen(app)
  const peers = await Promise.all([1, 2, 3].map(() => connect(`ws://127.0.0.1:${port}/time`)))
  await Promise.all(peers.map((peer) => peer.received(1)))
  await collected(references, 'requests and responses')
  t.strictSame([timeSocket.clients.size, references.length], [3, 12])
  timeSocket.broadcast('still here')
  for (const peer of peers) t.equal((await peer.received(2))[1], 'still here')
})

for (const [title, leave] of [
  ['closed', (ws: import('ws').WebSocket) => ws.close()],
  ['vanished', (ws: import('ws').WebSocket) => ws.terminate()]
] as const) {
  test(`a client that has ${title} leaves nothing in memory`, async (t) => {
    const references: WeakRef<object>[] = []
    const { app, timeSocket } = await createTimeApp(t, {
      interval: 20,
      context: () => ({}),
      onConnect (client) {
        references.push(new WeakRef(client), new WeakRef(client.context))
      },
      onMessage: async (client) => { client.send('x') }
    })
    const port = await listen(app)
    for (let count = 0; count < 5; count++) {
      const { ws, received } = await connect(`ws://127.0.0.1:${port}/time`)
      ws.send('x')
      await received(3)
      leave(ws)
    }
    const staying = await connect(`ws://127.0.0.1:${port}/time`)
    await waitFor(() => timeSocket.clients.size === 1, 'leaving')
    references.splice(-2)
    await staying.received(3)
    await collected(references, 'clients and contexts')
    t.equal(references.length, 10)
  })
}
