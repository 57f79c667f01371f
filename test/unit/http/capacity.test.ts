import { once } from 'node:events'
import net from 'node:net'
import { join, relative } from 'node:path'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { allGone, CHURN_LIMITS, createChurn, fillUp } from '../../helpers/network/churn.js'
import { connect, inject, refused } from '../../helpers/network/peer.js'
import { openRaw, tryUpgrade, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor } from '../../helpers/network/wait.js'

const TOO_MANY = {
  statusCode: 503,
  code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS',
  error: 'Service Unavailable',
  message: 'the time socket has no room for another client'
}
const TOO_MANY_FROM_IP = {
  statusCode: 429,
  code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP',
  error: 'Too Many Requests',
  message: 'the time socket has no room for another client from this address'
}

type Test = Parameters<typeof createTimeApp>[0]

async function setUp (t: Test, given: TimeSocketOptions, serverOptions = {}) {
  const options = { shutdown: { grace: 50 }, ...given }
  const { app, timeSocket, log } = await createTimeApp(t, options, serverOptions)
  const port = await listen(app)
  return { app, port, timeSocket, log, url: `ws://127.0.0.1:${port}/time` }
}

for (const [title, options, refusal] of [
  ['maxClients', { maxClients: 2 }, TOO_MANY],
  ['maxClientsPerIp', { maxClientsPerIp: 2 }, TOO_MANY_FROM_IP],
  ['maxClients before maxClientsPerIp', { maxClients: 2, maxClientsPerIp: 2 }, TOO_MANY]
] as const) {
  test(`refuses upgrades beyond ${title}, before any hook of the route`, async (t) => {
    let asked = 0
    const { url, log, timeSocket } = await setUp(t, {
      ...options, route: { onRequest: async () => { asked++ } }
    })
    for (let count = 0; count < 2; count++) await connect(url)
    t.equal(asked, 2)
    const upgrade = await refused(url)
    t.strictSame(JSON.parse(upgrade.body), refusal)
    t.strictSame([upgrade.status, upgrade.headers.connection], [refusal.statusCode, 'close'])
    t.equal(asked, 2)
    t.equal(timeSocket.clients.size, 2)
    const lines = log.lines.filter(({ msg }) => msg === 'refused')
    t.strictSame(lines.map(({ level, code }) => [level, code]), [[20, refusal.code]])
  })

  test(`plain HTTP is answered beyond ${title}, and reports that upgrades are refused`, async (t) => {
    const { app, url, timeSocket } = await setUp(t, options)
    for (let count = 0; count < 2; count++) {
      t.notOk('upgrade' in (await app.inject('/time')).json())
      await connect(url)
    }
    const { statusCode, headers, body } = await app.inject('/time')
    t.strictSame([statusCode, headers['retry-after']], [200, undefined])
    const { status, code, retryAfter } = JSON.parse(body).upgrade
    t.strictSame([status, code], [refusal.statusCode, refusal.code])
    t.ok([1, 2, 3, 4, 5].includes(retryAfter), String(retryAfter))
    t.equal((await app.inject({ method: 'HEAD', url: '/time' })).statusCode, 200)
    const { refused, http } = timeSocket.stats()
    t.strictSame([refused.capacity, refused.capacityPerIp, http.answered], [0, 0, 4])
  })
}

test('refusals have a random Retry-After of 1 to 5 s', async (t) => {
  const { app, url } = await setUp(t, { maxClients: 1 })
  await connect(url)
  const answers = await Promise.all(Array.from({ length: 100 }, () => app.inject('/time')))
  const seconds = new Set(answers.map((answer) => answer.json().upgrade.retryAfter))
  t.strictSame([...seconds].sort(), [1, 2, 3, 4, 5])
  t.match((await refused(url)).headers['retry-after'], /^[1-5]$/)
})

test('a plain request takes no slot, even if its connection stays open', async (t) => {
  const { url } = await setUp(t, { maxClients: 1, maxClientsPerIp: 1 })
  const get = async () => await fetch(url.replace('ws', 'http'))
  const answers = await Promise.all([get(), get(), get()])
  t.strictSame(answers.map(({ status }) => status), [200, 200, 200])
  await connect(url)
  t.equal((await refused(url)).status, 503)
})

test('a client that leaves frees its slot, and no other', async (t) => {
  const { url, port, timeSocket } = await setUp(t, { maxClients: 6, maxClientsPerIp: 3 })
  const peers = [await connect(url), await connect(url), await connect(url)]
  t.equal((await refused(url)).status, 429)
  for (const [index, { ws, closed }] of peers.slice(1).entries()) {
    ws.close()
    await closed
    await waitFor(() => timeSocket.clients.size === 2 - index, 'leaving')
  }
  for (const status of [101, 101, 429]) t.equal(await tryUpgrade(port, '127.0.0.1'), status)
  for (const status of [101, 101, 101, 503]) t.equal(await tryUpgrade(port, '127.0.0.2'), status)
})

test('a pending upgrade counts', async (t) => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => { letGo = resolve })
  const { url, app } = await setUp(t, {
    maxClients: 1, preValidation: async ({ ws }) => ws ? await held : undefined
  })
  const first = connect(url)
  let isFull = false
  await waitFor(() => {
    app.inject('/time').then((answer) => { isFull ||= 'upgrade' in answer.json() })
    return isFull
  }, 'a slot being taken')
  t.equal((await refused(url)).status, 503)
  letGo()
  t.equal((await (await first).received(1)).length, 1)
})

const refusals: [title: string, hook: TimeSocketOptions['preValidation']][] = [
  ['that a hook refuses', async (_request, reply) => reply.code(401).send('no')],
  ['with a hook that throws', async () => { throw new Error('no database') }]
]

for (const [title, preValidation] of refusals) {
  test(`an upgrade ${title} frees its slot`, async (t) => {
    const { app, port, url } = await setUp(t, { maxClients: 1, preValidation })
    for (let count = 0; count < 3; count++) t.not((await refused(url)).status, 503)
    await allGone(app)
    t.not(await tryUpgrade(port, '127.0.0.1'), 503)
  })
}

test('an upgrade that times out frees its slot', async (t) => {
  let isHanging = true
  const { app, port, url } = await setUp(t, {
    maxClients: 1,
    handshakeTimeout: 50,
    preValidation: async () => { if (isHanging) await new Promise(() => {}) }
  })
  t.equal((await refused(url)).status, 503)
  await allGone(app)
  isHanging = false
  t.equal(await tryUpgrade(port, '127.0.0.1'), 101)
})

test('a client that has disconnected before it is counted takes no slot', async (t) => {
  let entered = 0
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => { letGo = resolve })
  const { app } = createApp(t, { logger: false })
  app.addHook('onRequest', async ({ query }) => {
    if ((query as { hold?: string }).hold === undefined) return
    entered++
    await held
  })
  await app.register(timeSocket, { maxClients: 1, maxClientsPerIp: 1, shutdown: { grace: 50 } })
  const port = await listen(app)
  const peers = [1, 2, 3].map(() => openRaw(port, upgradeRequest('/time?hold=1')))
  await waitFor(() => entered === 3, 'three upgrades')
  for (const { socket } of peers) socket.resetAndDestroy()
  await allGone(app)
  letGo()
  t.equal(await tryUpgrade(port, '127.0.0.1'), 101)
})

test('each registration counts its own clients', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { maxClients: 1 })
  await app.register(timeSocket, { url: '/two', namespace: 'two', maxClients: 1 })
  await app.register(timeSocket, { url: '/all', namespace: 'all' })
  const port = await listen(app)
  const url = `ws://127.0.0.1:${port}`
  for (const path of ['/time', '/two', '/all', '/all']) await connect(url + path)
  for (const path of ['/time', '/two']) t.equal((await refused(url + path)).status, 503)
})

const proxied: [
  title: string, trustProxy: boolean | string, forwarded: string[], statuses: number[]
][] = [
  ['an address forwarded by an untrusted peer does not count', false,
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'], [101, 429, 429]],
  ['an address forwarded by a peer that is not trusted does not count', '192.0.2.0/24',
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'], [101, 429, 429]],
  ['behind a trusted proxy, each client counts separately', '127.0.0.1',
    ['192.0.2.1', '192.0.2.2', '192.0.2.1'], [101, 101, 429]],
  ['an IPv4 address counts as the same in IPv6', true,
    ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201'], [101, 429, 429]],
  ['the addresses of one /64 count as one', true,
    ['2001:db8::1', '2001:db8::ffff:0:0:2', '2001:db8:0:1::1'], [101, 429, 101]]
]

for (const [title, trustProxy, forwarded, statuses] of proxied) {
  test(`per address: ${title}`, async (t) => {
    const { port } = await setUp(t, { maxClientsPerIp: 1 }, { trustProxy })
    const found: number[] = []
    for (const ip of forwarded) {
      found.push(await tryUpgrade(port, '127.0.0.1', [`X-Forwarded-For: ${ip}`]))
    }
    t.strictSame(found, statuses)
  })
}

test('injected clients count together, or by address if they have one', async (t) => {
  const limits = { maxClients: 4, maxClientsPerIp: 1 }
  const { app, timeSocket } = await createTimeApp(t, limits, { logger: false })
  const from = (remoteAddress?: string) =>
    inject(app, '/time', { socket: { remoteAddress, remotePort: 1 } })
  const [first] = [await from('192.0.2.1'), await from(), await from('192.0.2.3')]
  await t.rejects(from(), { message: /429/ })
  await t.rejects(from('192.0.2.1'), { message: /429/ })
  await from('192.0.2.2')
  await t.rejects(from('192.0.2.4'), { message: /503/ })
  first.ws.close()
  await waitFor(() => timeSocket.clients.size === 3, 'leaving')
  let status = 0
  await waitFor(() => {
    app.inject({ url: '/time', remoteAddress: '192.0.2.1' })
      .then(({ statusCode }) => { status = statusCode })
    return status === 200
  }, 'a free slot')
  await from('192.0.2.1')
  await t.rejects(from('192.0.2.1'), { message: /503/ })
})

test('an injected upgrade that is refused leaves its slot to the next', async (t) => {
  const { app } = await createTimeApp(t, {
    maxClients: 1,
    preValidation: async ({ url }, reply) => url === '/time' ? undefined : reply.code(401).send('no')
  }, { logger: false })
  await t.rejects(inject(app, '/time?guest'), { message: /401/ })
  await t.rejects(inject(app, '/time', { headers: { 'sec-websocket-protocol': 'chat' } }), { message: /400/ })
  await inject(app)
  await t.rejects(inject(app), { message: /503/ })
})

test('clients without an address count as one, even behind a proxy', async (t) => {
  for (const trustProxy of [false, true]) {
    const { app } = await createTimeApp(t, { maxClientsPerIp: 2 }, { logger: false, trustProxy })
    for (let count = 0; count < 2; count++) await inject(app)
    await t.rejects(inject(app), { message: /429/ })
  }
})

test('clients over a Unix socket count as one', async (t) => {
  const { app } = await createTimeApp(t, { maxClientsPerIp: 2 })
  // Relative, because an absolute path may exceed the 107 bytes that Linux allows for a socket.
  const path = relative('', join(t.testdir(), 'socket'))
  await app.listen({ path })
  const statuses: string[] = []
  for (let count = 0; count < 3; count++) {
    const socket = net.connect(path)
    t.teardown(() => socket.destroy())
    socket.write(upgradeRequest('/time'))
    const [answer] = await once(socket, 'data')
    statuses.push(String(answer).slice(9, 12))
  }
  t.strictSame(statuses, ['101', '101', '429'])
})

for (const [title, forwarded] of [
  ['IPv4', (port: number) => `203.0.113.7:${port}`],
  ['IPv6', (port: number) => `[2001:db8::1]:${port}`]
] as const) {
  test(`addresses of ${title} that are forwarded with a port count as one`, async (t) => {
    const { port, timeSocket } = await setUp(t, { maxClientsPerIp: 2 }, { trustProxy: true })
    const statuses = []
    for (let count = 0; count < 3; count++) {
      const headers = [`X-Forwarded-For: ${forwarded(40_000 + count)}`]
      statuses.push(await tryUpgrade(port, '127.0.0.1', headers))
    }
    t.strictSame(statuses, [101, 101, 429])
    const ip = forwarded(1).replace(/\[|\]|:1$/g, '')
    t.strictSame([...timeSocket.clients.values()].map((client) => client.ip), [ip, ip])
  })
}

for (const [title, limits] of CHURN_LIMITS) {
  test(`on a real port, after hundreds of clients ${title}, there is room for as many as before`, async (t) => {
    const churn = await createChurn(t, limits)
    await churn.run(300)
    const { answers, expected } = await fillUp(churn.port, limits)
    t.strictSame(answers, expected)
  })
}
