import type { Socket } from 'node:net'
import { test } from 'tap'
import { runExample, shareExample, startExample } from '../../helpers/programs/example-process.js'
import { connect } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

const IS_TIME = /^\w{3} \w{3} \d{2} \d{4} \d{2}:\d{2}:\d{2} GMT[+-]\d{4} \(.+\)$/
const INTERVAL_MS = 5000

test('redirects / to the page, and serves the page with all its files', async (t) => {
  const { port } = await shareExample()
  const get = (path: string) => fetch(`http://localhost:${port}${path}`, { redirect: 'manual' })
  const root = await get('/')
  t.strictSame([root.status, root.headers.get('location')], [302, '/TimeSocketClient.html'])
  const needed = await findNeeded(get, '/TimeSocketClient.html')
  t.strictSame(needed, ['TimeSocketClient.css', 'TimeSocketClient.js'])
  for (const path of needed) t.equal((await get(`/${path}`)).status, 200, path)
})

test('serves the auction page with all its files', async (t) => {
  const { port } = await shareExample()
  const get = (path: string) => fetch(new URL(path, `http://localhost:${port}/auction.html`))
  const needed = await findNeeded(get, 'auction.html')
  t.strictSame(needed, ['TimeSocketClient.css', 'auction.css', 'auction.js'])
  for (const path of needed) t.equal((await get(path)).status, 200, path)
  const modules = await findNeeded(get, 'auction.js', /(?<=from ')\.\/.+(?=')/g)
  t.strictSame(modules, ['./auction/time/client.js', './auction-format.js'])
  for (const path of modules) t.match((await get(path)).headers.get('content-type'), 'javascript')
})

test('serves the clock page with all its files', async (t) => {
  const { port } = await shareExample()
  const get = (path: string) => fetch(new URL(path, `http://localhost:${port}/clock.html`))
  const needed = await findNeeded(get, 'clock.html')
  t.strictSame(needed, ['TimeSocketClient.css', 'clock.css', 'clock.js'])
  for (const path of needed) t.equal((await get(path)).status, 200, path)
  const modules = await findNeeded(get, 'clock.js', /(?<=(from|import) ')\.\/.+(?=')/g)
  t.strictSame(modules, [
    './time/client.js', './time/elements.js', './clock-plots.js', './auction-format.js'
  ])
  const scripts = [...modules, './uplot/uPlot.esm.js']
  for (const path of scripts) t.match((await get(path)).headers.get('content-type'), 'javascript')
  t.equal((await get('./uplot/uPlot.min.css')).status, 200)
})

test('greets, sends the time at the next 5 s boundary, answers messages, and logs everything', async (t) => {
  // Where localhost has two addresses, it would start at both.
  const example = await startExample(t, { HOST: '127.0.0.1', PORT: '0' })
  const peer = await connect(`ws://127.0.0.1:${example.port}`)
  await peer.received(1)
  const forged = 'hello\n{"level":30,"msg":"socket closed"}'
  peer.ws.send(forged)
  await waitFor(() => peer.messages.includes('Got your message'), 'the reply')
  await waitFor(() => times(peer).length > 0, 'the first time')
  const boundaryMs = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS
  const port = localPort(peer)
  peer.ws.close()
  const logged = () => example.log().map(({ msg }) => msg)
  await waitFor(() => logged().includes('socket closed'), 'the last log line')

  const time = new Date(boundaryMs).toString()
  t.strictSame(times(peer), [time])
  t.equal(peer.messages[0], 'Hi from Time Server!', 'first of all')
  t.equal(peer.messages.length, 3)
  const sent = `There are 1 clients, sent time ${time}`
  t.equal(logged().filter((msg) => msg === sent).length, 1)
  // Whether the time or the message came first depends on when the test began.
  t.strictSame(logged().filter((msg) => msg !== sent), [
    `Time Server started at http://127.0.0.1:${example.port}`,
    `Request IP: 127.0.0.1, ${port}`,
    `Received message ${forged}`,
    'socket closed'
  ])
})

test('admits the page wherever it was opened, even as a file', async (t) => {
  const { port } = await shareExample()
  for (const origin of ['null', 'http://127.0.0.1:5500']) {
    const peer = await connect(`ws://localhost:${port}`, { origin })
    t.equal((await peer.received(1))[0], 'Hi from Time Server!')
    peer.ws.close()
  }
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} closes the clients and ends the process promptly, without an error`, async (t) => {
    const example = await startExample(t)
    const peer = await connect(`ws://localhost:${example.port}`)
    await peer.received(1)
    const { stdout, ...end } = await example.stop(signal)
    t.strictSame(end, { code: 0, signal: null, stderr: '' })
    t.match(stdout, '"socket closed"')
    t.strictSame(await peer.closed, [1001, 'server shutting down'])
  })
}

test('an address that is in use gives one line that says what to do', async (t) => {
  const { port } = await shareExample()
  const remedy = `stop the program that has it, or try PORT=${port + 1} npm start`
  t.strictSame(await runExample({ PORT: String(port) }), {
    code: 1,
    signal: null,
    stdout: '',
    stderr: `localhost, port ${port} is in use: ${remedy}\n`
  })
})

const rejected: [env: NodeJS.ProcessEnv, stderr: string][] = [
  [{ PORT: 'http' }, 'PORT must be an integer from 0 to 65535, got "http"\n'],
  [{ PORT: '65536' }, 'PORT must be an integer from 0 to 65535, got "65536"\n'],
  [{ PORT: '-1' }, 'PORT must be an integer from 0 to 65535, got "-1"\n'],
  [{ PORT: '' }, 'PORT must be an integer from 0 to 65535, got ""\n'],
  [{ ROUND: '5' }, 'ROUND must be an integer from 6 to 3600, in seconds, got "5"\n'],
  [{ ROUND: '1e3' }, 'ROUND must be an integer from 6 to 3600, in seconds, got "1e3"\n'],
  [{ HOST: '' }, 'HOST must be a name or an address, got ""\n'],
  [{ HOST: '192.0.2.1', PORT: '2113' }, 'cannot listen at 192.0.2.1, port 2113: ' +
    'listen EADDRNOTAVAIL: address not available 192.0.2.1:2113\n']
]

test('refuses an invalid PORT or HOST in one line', async (t) => {
  const runs = await Promise.all(rejected.map(([env]) => runExample(env)))
  const expected = rejected.map(([, stderr]) => ({ code: 1, signal: null, stdout: '', stderr }))
  t.strictSame(runs, expected)
})

/** What a file names in its own folder. */
async function findNeeded (
  get: (path: string) => Promise<Response>, path: string, name = /(?<=(src|href)=")\w[\w.]+(?=")/g
): Promise<string[]> {
  return (await (await get(path)).text()).match(name) ?? []
}

function times ({ messages }: Peer): unknown[] {
  return messages.filter((message) => IS_TIME.test(String(message)))
}

/** The peer's own port. ws offers no other way to it. */
function localPort ({ ws }: Peer): number | undefined {
  return (ws as unknown as { _socket: Socket })._socket.localPort
}
