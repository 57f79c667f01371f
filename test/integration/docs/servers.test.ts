import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { parsePrograms } from '../../helpers/documents/document-programs.js'
import type { Program } from '../../helpers/documents/document-programs.js'
import { load, run } from '../../helpers/documents/document-server.js'
import { documentAt } from '../../helpers/documents/documents.js'
import { parseBlocks, section } from '../../helpers/documents/markdown.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

const README = documentAt('README.md')

test('the smallest server, on a real port', async (t) => {
  const text = section(README, 'The smallest server')
  const [server] = parsePrograms('README.md', text)
  const shown = (language: string) =>
    parseBlocks(text).find((block) => block.language === language)?.code ?? ''
  t.ok(server && server.source.trim().split('\n').length <= 12, 'is at most 12 lines long')
  const app = await run(t, server as Program, { 'clock.html': shown('html') })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`

  await t.test('sends frames that look like the one shown', async (t) => {
    const peer = await connect(`${url}/time`)
    const frames = await peer.received(2)
    const shape = shapeOf(shown('text').trim())
    t.strictSame(frames.map((frame) => shapeOf(String(frame))), [shape, shape])
  })

  await t.test('answers a plain GET as shown', async (t) => {
    const answer = await (await fetch(`${url}/time`)).json()
    t.strictSame(kindsOf(answer), kindsOf(JSON.parse(shown('json'))))
  })

  await t.test('serves the page, which connects to its URL', async (t) => {
    const page = await (await fetch(url)).text()
    t.equal(page, shown('html'))
    t.match(page, `new WebSocket('${app.timeSocket.url}')`)
  })
})

test('the server with authentication, on a real port', async (t) => {
  const [server] = parsePrograms('README.md', section(README, 'Authentication'))
  const app = await run(t, server as Program)
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/time`

  await t.test('refuses a client without a session, and tells it why', async (t) => {
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
    const headers = { cookie: 'theme=dark; session=5f1c0a', origin: 'https://example.org' }
    await connect(url, { headers })
    const contexts = [...app.timeSocket.clients.values()].map(({ context }) => context)
    t.strictSame(contexts, [{ user: 'ada' }])
  })
})

test('the statistics', async (t) => {
  const [metrics, counters] = parsePrograms('README.md', section(README, 'Statistics'))

  await t.test('for Prometheus are in its text format, and those of stats()', async (t) => {
    const app = await run(t, metrics as Program)
    await app.ready()
    app.injectWS('/time')
    await waitFor(() => app.timeSocket.clients.size === 1, 'a client')
    const { headers, body } = await app.inject('/metrics')
    t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
    const lines = body.trimEnd().split('\n')
    t.ok(body.endsWith('\n'))
    t.strictSame(lines.filter((line) => !/^[a-z_]+(\{[a-z]+="[\w.]+"\})? [\d.e-]+$/.test(line)), [])
    const { refused, closed } = app.timeSocket.stats()
    const causes = [...Object.keys(refused), ...Object.keys(closed)]
    t.equal(lines.filter((line) => line.includes('cause=')).length, causes.length)
    t.ok(lines.includes('time_socket_clients 1') && lines.includes('time_socket_accepted_total 1'))
  })

  await t.test('for OpenTelemetry are counted with any meter', async (t) => {
    const { app, countWith } = await load(t, counters as Program)
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
})

/** The text with all digits alike. */
function shapeOf (text: string): string {
  return text.replace(/\d/g, '0')
}

/** The fields of an object and what kind of value each has. */
function kindsOf (object: Record<string, unknown>): string[] {
  return Object.entries(object).map(([name, value]) =>
    `${name}: ${Array.isArray(value) ? 'array' : typeof value}`)
}
