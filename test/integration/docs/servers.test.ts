import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { parsePrograms } from '../../helpers/documents/document-programs.js'
import type { Program } from '../../helpers/documents/document-programs.js'
import { load, run } from '../../helpers/documents/document-server.js'
import { documentAt } from '../../helpers/documents/documents.js'
import { parseBlocks, section } from '../../helpers/documents/markdown.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

/** The first server under a heading of a document; of the whole document without one. */
function serverOf (path: string, heading?: string): Program {
  const markdown = documentAt(path)
  const text = heading === undefined ? markdown : section(markdown, heading)
  const program = parsePrograms(path, text).find(({ language }) => language === 'ts')
  if (program === undefined) throw new Error(`${path} has no server under ${heading}`)
  return program
}

test('the first server and page of README.md and of the guide work', async (t) => {
  for (const path of ['README.md', 'docs/guide/getting-started.md']) {
    const server = serverOf(path)
    const page = parseBlocks(documentAt(path)).find(({ language }) => language === 'html')?.code ?? ''
    t.ok(server.source.trim().split('\n').length <= 12, 'the server is at most 12 lines long')
    const app = await run(t, server, { 'clock.html': page })
    const { port } = app.server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}`
    t.equal(await (await fetch(url)).text(), page)
    const peer = await connect(`${url}/time`)
    for (const frame of await peer.received(2)) {
      t.match(String(frame), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
    t.match(await (await fetch(`${url}/time`)).json(), { now: Number, interval: 1000 })
  }
})

test('the answer to a plain GET has the fields that the reference shows', async (t) => {
  const app = await run(t, serverOf('README.md', 'Broadcast now, or at an instant'))
  const text = section(documentAt('docs/reference/time-socket.md'), 'The answer to a plain `GET`')
  const [shown] = parseBlocks(text)
  const kindsOf = (answer: object) => Object.entries(answer).map(([name, value]) =>
    `${name}: ${Array.isArray(value) ? 'array' : typeof value}`)
  t.strictSame(kindsOf((await app.inject('/time')).json()), kindsOf(JSON.parse(shown?.code ?? '')))
})

test('the documented server with a session cookie', async (t) => {
  const app = await run(t, serverOf('docs/guide/authentication.md', 'A session in a cookie'))
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/time`

  await t.test('refuses a client without a session, and gives the reason', async (t) => {
    const { status, body } = await refused(url)
    t.strictSame([status, body], [401, '{"error":"sign in first"}'])
    t.equal((await fetch(url)).status, 401)
    t.equal((await fetch(url, { headers: { cookie: 'session=wrong' } })).status, 401)
  })

  await t.test('refuses a page of another origin, session or not', async (t) => {
    const headers = { cookie: 'session=5f1c0a', origin: 'https://example.com' }
    t.equal((await refused(url, [], { headers })).status, 403)
  })

  await t.test('knows the user of an accepted client', async (t) => {
    await connect(url, { headers: { cookie: 'theme=dark; session=5f1c0a' } })
    const contexts = [...app.timeSocket.clients.values()].map(({ context }) => context)
    t.strictSame(contexts, [{ user: 'ada' }])
  })
})

test('only the teacher can start and extend the exam', async (t) => {
  const server = serverOf('docs/guide/broadcasting.md', 'An exam that ends at one instant')
  const app = await run(t, server)
  const post = async (minutes: number, token: string) => await app.inject({
    method: 'POST', url: `/exam/${minutes}`, headers: { authorization: `Bearer ${token}` }
  })
  t.equal((await post(1, 'wrong')).statusCode, 401)
  const { endsAt } = (await post(90, 'secret')).json()
  t.equal((await post(10, 'secret')).json().endsAt, endsAt + 600_000)
  t.strictSame((await app.inject('/exam')).json(), { endsAt: endsAt + 600_000 })
})

test('the statistics for Prometheus have its text format, each with HELP and TYPE', async (t) => {
  const app = await run(t, serverOf('docs/guide/observability.md', 'Prometheus'))
  await app.ready()
  app.injectWS('/time')
  await waitFor(() => app.timeSocket.clients.size === 1, 'a client')
  const { headers, body } = await app.inject('/metrics')
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const lines = body.trimEnd().split('\n')
  const samples = lines.filter((line) => !line.startsWith('# '))
  t.strictSame(samples.filter((line) => !/^[a-z_]+(\{[a-z]+="[\w.]+"\})? [\d.e-]+$/.test(line)), [])
  for (const name of new Set(samples.map((line) => line.replace(/[{ ].*/, '')))) {
    t.ok(lines.some((line) => line.startsWith(`# HELP ${name} `)), name)
    t.ok(lines.some((line) => line.startsWith(`# TYPE ${name} `)), name)
  }
  const { refused, closed } = app.timeSocket.stats()
  const causes = [...Object.keys(refused), ...Object.keys(closed)]
  t.equal(samples.filter((line) => line.includes('cause=')).length, causes.length)
  t.ok(lines.includes('time_socket_clients 1') && lines.includes('time_socket_accepted_total 1'))
})

test('the events for OpenTelemetry are counted with any meter', async (t) => {
  const server = serverOf('docs/guide/observability.md', 'OpenTelemetry')
  const { app, countWith } = await load(t, server)
  const counted: string[] = []
  countWith({
    createCounter: (name: string) => ({
      add: (count: number, { cause = '' } = {}) => { counted.push(`${name} ${count} ${cause}`) }
    })
  })
  await app.ready()
  app.injectWS('/time')
  await waitFor(() => app.timeSocket.clients.size === 1, 'a client')
  for (const client of app.timeSocket.clients.values()) client.terminate()
  await waitFor(() => app.timeSocket.clients.size === 0, 'its end')
  t.strictSame(counted, ['time_socket.accepted 1 ', 'time_socket.close 1 application'])
})
