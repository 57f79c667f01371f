import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'tap'
import { createDelayingProxy } from '../../helpers/network/delaying-proxy.js'
import type { DelayingProxyOptions } from '../../helpers/network/delaying-proxy.js'
import { waitFor } from '../../helpers/network/wait.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** A server that echoes, and a connection to it through the proxy, on real ports. */
async function setUp (t: Test, options: DelayingProxyOptions = {}) {
  const sockets = new Set<Socket>()
  const echo = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    echo.close()
  })
  const proxy = await createDelayingProxy(t, (echo.address() as AddressInfo).port, options)
  const client = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  t.teardown(() => client.destroy())
  client.on('error', () => {})
  await once(client, 'connect')
  let received = ''
  client.on('data', (chunk) => { received += String(chunk) })
  await waitFor(() => proxy.connectionCount === 1, 'a connection')

  /** Milliseconds until the text has come back. */
  async function timeEcho (text: string): Promise<number> {
    const startMs = performance.now()
    client.write(text)
    await waitFor(() => received.endsWith(text), 'the echo')
    return performance.now() - startMs
  }

  return { proxy, client, sockets, timeEcho, received: () => received }
}

test('a delaying proxy, on a real port', async (t) => {
  await t.test('delays each direction by its own', async (t) => {
    const { proxy, timeEcho } = await setUp(t, { up: { delayMs: 60 }, down: { delayMs: 20 } })
    t.ok(await timeEcho('a') >= 79)
    Object.assign(proxy.up, { delayMs: 0, jitterMs: 0 })
    t.ok(await timeEcho('b') >= 19)
  })

  await t.test('keeps the order, whatever the jitter', async (t) => {
    const { client, received } = await setUp(t, { up: { jitterMs: 30 }, down: { jitterMs: 30 } })
    const texts = Array.from({ length: 200 }, (_, i) => `${i};`)
    for (const text of texts) {
      client.write(text)
      await new Promise(setImmediate)
    }
    await waitFor(() => received().length === texts.join('').length, 'the echo')
    t.equal(received(), texts.join(''))
  })

  await t.test('lets pass later what came while it was frozen', async (t) => {
    const { proxy, client, received } = await setUp(t)
    const thaw = proxy.freeze()
    client.write('a')
    client.write('b')
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal(received(), '')
    thaw()
    await waitFor(() => received() === 'ab', 'the echo')
  })

  await t.test('swallows everything, and lets new connections pass', async (t) => {
    const { proxy, client, sockets, received } = await setUp(t)
    proxy.swallow()
    client.write('a')
    client.end()
    const other = connect({ port: proxy.port, host: '127.0.0.1' })
    t.teardown(() => other.destroy())
    other.write('b')
    const [chunk] = await once(other, 'data')
    t.strictSame([String(chunk), received(), sockets.size], ['b', '', 2])
  })

  await t.test('resets all connections', async (t) => {
    const { proxy, client } = await setUp(t)
    const closed = new Promise((resolve) => client.once('close', resolve))
    proxy.cut()
    await closed
    await waitFor(() => proxy.connectionCount === 0, 'the end')
  })
})
