import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketClient, TimeSocketOptions } from '../../../src/index.js'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { createApp, listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createApp>[0]

const storage = new AsyncLocalStorage<string>()

/** An application that handles each request in a context named after it, on a real port. */
async function setUp (t: Test, given: TimeSocketOptions = {}) {
  const { app, log } = createApp(t)
  app.addHook('onRequest', (request, _reply, done) => {
    storage.run(String(request.headers['x-name']), done)
  })
  await storage.run('registration', async () => {
    await app.register(timeSocket, { interval: 10, shutdown: { grace: 500 }, ...given })
  })
  const url = `ws://127.0.0.1:${await listen(app)}/time`
  const join = (name: string, protocols: string[] = []) =>
    connect(url, { headers: { 'x-name': name }, protocols })
  return { app, log, timeSocket: app.timeSocket, join }
}

test('format and onTick run in the context of the registration, whoever connects first', async (t) => {
  const contexts = new Set<string | undefined>()
  let tickCount = 0
  const { join } = await setUp(t, {
    format () {
      contexts.add(`format: ${storage.getStore()}`)
      return 'tick'
    },
    onTick () {
      tickCount++
      contexts.add(`onTick: ${storage.getStore()}`)
    }
  })
  await join('ada')
  await join('bob')
  const beforeCount = tickCount
  await waitFor(() => tickCount > beforeCount + 2, 'ticks')
  t.strictSame([...contexts].sort(), ['format: registration', 'onTick: registration'])
})

test('onConnect, onMessage and onClose run in the context of their client', async (t) => {
  const calls: string[] = []
  const note = (name: string) => { calls.push(`${name}: ${storage.getStore()}`) }
  const { join } = await setUp(t, {
    immediate: false,
    format: () => 'tick',
    async onConnect () {
      note('onConnect')
      await new Promise((resolve) => setImmediate(resolve))
      note('later')
    },
    onMessage: (_client, data) => note(`onMessage ${String(data)}`),
    onClose: () => note('onClose')
  })
  for (const name of ['ada', 'bob']) {
    calls.length = 0
    const peer = await join(name)
    peer.ws.send('one')
    await waitFor(() => calls.length === 3, 'a message')
    peer.ws.send('two')
    await waitFor(() => calls.length === 4, 'another message')
    peer.ws.close()
    await waitFor(() => calls.length === 5, 'the end')
    t.strictSame(calls, ['onConnect', 'later', 'onMessage one', 'onMessage two', 'onClose']
      .map((call) => `${call}: ${name}`))
  }
})

test('the async resource of each client is destroyed after its onClose', async (t) => {
  const alive = new Set<number>()
  const hook = createHook({
    init (id, type) { if (type === 'TimeSocketClient') alive.add(id) },
    destroy (id) { alive.delete(id) }
  }).enable()
  t.teardown(() => hook.disable())
  const { app, join } = await setUp(t, { onClose: () => {} })
  await join('ada')
  await join('bob')
  t.equal(alive.size, 2)
  await app.close()
  await waitFor(() => alive.size === 0, 'the end of the resources')
})

test('a shutdown that one client starts calls onClose of the others in their own contexts', async (t) => {
  const closes: (string | undefined)[] = []
  const { timeSocket, join } = await setUp(t, {
    onMessage () { timeSocket.close() },
    onClose () { closes.push(storage.getStore()) }
  })
  const peers = [await join('ada'), await join('bob')]
  peers[0]?.ws.send('close')
  await waitFor(() => closes.length === 2, 'both ends')
  t.strictSame(closes.sort(), ['ada', 'bob'])
})

test('a scheduled broadcast is sent in the context of the registration', async (t) => {
  const contexts: (string | undefined)[] = []
  const { timeSocket, join } = await setUp(t, { interval: TICKLESS_INTERVAL_MS, format: () => 'tick' })
  const peer = await join('ada')
  const client = [...timeSocket.clients.values()][0] as TimeSocketClient
  storage.run('caller', () => {
    timeSocket.broadcast('later', {
      at: Date.now() + 50,
      filter () {
        contexts.push(storage.getStore())
        return true
      }
    })
  })
  await waitFor(() => peer.messages.includes('later'), 'the broadcast')
  t.strictSame([contexts, client.skippedTicks], [['caller'], 0])
})

test('a broadcast of another server is handled in the context of the registration', async (t) => {
  const engine = createMemoryEngine()
  const contexts = new Set<string | undefined>()
  const context = () => ({
    get room () {
      contexts.add(storage.getStore())
      return 'red'
    }
  })
  const here = await setUp(t, { format: () => 'tick', backplane: engine.connect(), context })
  const peer = await here.join('ada')
  const { app: there } = createApp(t)
  await there.register(timeSocket, { backplane: engine.connect() })
  await there.ready()
  storage.run('caller', () => there.timeSocket.broadcast('news', { where: { room: 'red' } as {} }))
  await waitFor(() => peer.messages.includes('news'), 'the broadcast')
  t.strictSame([...contexts], ['registration'])
})
