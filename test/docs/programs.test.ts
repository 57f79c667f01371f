import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import type { Test } from 'tap'
import * as closeCodes from '../src/protocol/close-codes.js'
import * as errors from '../src/api/errors.js'
import { FORMATS } from '../src/time/tick-format.js'
import type { FormatName } from '../src/time/tick-format.js'
import type { TimeSocketOptions } from '../src/api/options.js'
import { resolveRedisStreamsOptions } from '../src/cluster/redis/redis-options.js'
import type { RedisClient } from '../src/cluster/redis/redis-client.js'
import { resolveOptions } from '../src/config/resolve-options.js'
import {
  anchorsIn, brokenLinks, codesIn, findTable, linksIn, parseBlocks, parseTables, section
} from './helpers/markdown.js'
import {
  check, literalsOf, membersOf, parsePrograms, scriptsIn, syntaxErrors, toModule
} from './helpers/markdown-programs.js'
import type { Program } from './helpers/markdown-programs.js'
import { connect, refused } from './helpers/peer.js'
import { needsRedis, startRedis } from './helpers/redis.js'
import { waitFor } from './helpers/wait.js'

const ROOT = new URL('../', import.meta.url)
const ENTRY = new URL('../src/index.js', import.meta.url).href
const PLUGIN_TIMEOUT_MS = 10_000

const FILES = markdownFiles()
const README = FILES.get('README.md') ?? ''
const PROGRAMS = [...FILES].flatMap(([file, markdown]) => parsePrograms(file, markdown))
const SERVERS = PROGRAMS.filter(({ language }) => language === 'ts')

test('every block of code', async (t) => {
  await t.test('that is ts or js compiles in strict mode', async (t) => {
    t.not(SERVERS.length, 0)
    t.strictSame(check(PROGRAMS), [])
  })

  await t.test('that is html has scripts that parse', async (t) => {
    const blocks = [...FILES.values()].flatMap(parseBlocks)
    const pages = blocks.filter(({ language }) => language === 'html')
    t.not(pages.length, 0)
    for (const { code } of pages) {
      t.not(scriptsIn(code).length, 0)
      t.strictSame(scriptsIn(code).flatMap(syntaxErrors), [])
    }
  })

  await t.test('that is json parses', async (t) => {
    for (const { code, language } of parseBlocks(README)) {
      if (language === 'json') t.doesNotThrow(() => JSON.parse(code))
    }
  })

  for (const program of SERVERS) {
    const options = program.source.includes('port: 6379') ? needsRedis : {}
    await t.test(`that is ts runs: ${program.place}`, options, async (t) => {
      const app = await run(t, program)
      await t.resolves(async () => { await app.ready() })
    })
  }
})

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

test('the table of options', async (t) => {
  const { rows } = findTable(section(README, 'Options'), 'option', 'default', 'meaning')
  const meanings = new Map(rows.map(([option = '', , meaning = '']) =>
    [codesIn(option)[0], meaning]))

  await t.test('names every option, and no other, with its default', async (t) => {
    t.strictSame(rows.map(([option, value]) => `${option} ${value}`).sort(), defaults().sort())
  })

  await t.test('tells which intervals are accepted', async (t) => {
    const [, min, max] = /(\d[\d ]*) to (\d[\d ]*)/.exec(meanings.get('interval') ?? '') ?? []
    const [minMs = NaN, maxMs = NaN] = [min, max].map((text) => Number(text?.replaceAll(' ', '')))
    const tried = [minMs, maxMs, minMs - 1, maxMs + 1, minMs + 0.5]
    const accepted = tried.map((interval) => isAccepted({ interval }))
    t.strictSame(accepted, [true, true, false, false, false])
  })

  await t.test('tells which graces are accepted', async (t) => {
    const [, min, margin] = /(\d+) to (\d+) below/.exec(meanings.get('drain.grace') ?? '') ?? []
    const maxMs = PLUGIN_TIMEOUT_MS - Number(margin)
    const tried = [Number(min), maxMs, Number(min) - 1, maxMs + 1]
    const accepted = tried.map((grace) => isAccepted({ drain: { grace } }))
    t.strictSame(accepted, [true, true, false, false])
  })

  await t.test('names the formats there are', async (t) => {
    const named = codesIn(meanings.get('format') ?? '').map((code) => code.replaceAll("'", ''))
    t.strictSame(named, Object.keys(FORMATS))
  })

  await t.test('names the route options that are refused', async (t) => {
    const [accepted = '', refused = ''] = (meanings.get('route') ?? '').split('; not ')
    const areAccepted = (names: string) => codesIn(names).map((name) =>
      [() => {}, {}, 'warn'].some((value) => isAccepted({ route: { [name]: value } })))
    t.strictSame(new Set(areAccepted(accepted)), new Set([true]))
    t.strictSame(new Set(areAccepted(refused)), new Set([false]))
  })
})

test('the table of options of redisStreams names every one with its default', async (t) => {
  const { rows } = findTable(README, '`redisStreams` option', 'default', 'meaning')
  const client = { call () {}, callBuffer () {}, duplicate () {} } as unknown as RedisClient
  const defaults = Object.entries(resolveRedisStreamsOptions(client, {}))
  t.strictSame(rows.map(([option, value]) => `${option} ${value}`),
    defaults.map(([name, value]) => `\`${name}\` ${print(value)}`))
})

test('the table of formats shows what each makes of one tick', async (t) => {
  const sent = 1795262405000
  const tick = { seq: 7, at: sent, sent, interval: 1000, epoch: 0 }
  const { rows } = findTable(README, '`format`')
  const shown = new Map(rows.map(([name = '', frame = '']) =>
    [codesIn(name)[0]?.replaceAll("'", ''), codesIn(frame)[0] ?? '']))
  t.strictSame([...shown.keys()], Object.keys(FORMATS))
  for (const [name, frame] of shown) {
    // In the time zone of whoever wrote it, and of whoever runs this.
    if (name === 'text') t.equal(new Date(frame).getTime(), sent)
    else t.equal(frame, FORMATS[name as FormatName](tick))
  }
})

test('the tables of members name all there are', async (t) => {
  const types = readFileSync(new URL('src/api/time-socket.ts', ROOT), 'utf8')
  const ticker = readFileSync(new URL('src/time/tick-schedule.ts', ROOT), 'utf8')
  const tables: [heading: string, source: string, name: string][] = [
    ['`app.timeSocket`', types, 'TimeSocket'],
    ['A client', types, 'TimeSocketClient'],
    ['A tick', ticker, 'Tick'],
    ['Broadcast', types, 'BroadcastOptions']
  ]
  for (const [heading, source, name] of tables) {
    const [table] = parseTables(section(README, heading))
    const named = table?.rows.map(([member = '']) => codesIn(member)[0]?.replace(/\(.*/, ''))
    t.strictSame(named?.sort(), membersOf(source, name).sort(), heading)
  }
})

test('the tables of the browser client name all there is', async (t) => {
  const sourceOf = (file: string) => readFileSync(new URL(`src/browser/${file}`, ROOT), 'utf8')
  const options = membersOf(sourceOf('clock-options.ts'), 'ServerClockOptions')
  const syncOptions = membersOf(sourceOf('clock-options.ts'), 'SyncOptions').map((name) => `sync.${name}`)
  const tables: [column: string, names: string[]][] = [
    ['option', [...options.filter((name) => name !== 'sync'), ...syncOptions]],
    ['member', membersOf(sourceOf('clock-members.ts'), 'ClockMembers')],
    ['event', membersOf(sourceOf('clock-events.ts'), 'ClockEvents')]
  ]
  for (const [column, names] of tables) {
    const { rows } = findTable(section(README, 'Browser client'), column)
    const named = rows.map(([name = '']) => codesIn(name)[0]?.replace(/\(.*/, ''))
    t.strictSame(named.sort(), names.sort(), column)
  }
})

test('the table of errors is that of the exported classes', async (t) => {
  const { rows } = findTable(README, 'code', 'class', 'status')
  const exported = Object.entries(errors).map(([name, ErrorClass]) => {
    const { code, statusCode } = new ErrorClass('a', 'b', 'c')
    return [`\`${code}\``, `\`${name}\``, String(statusCode)]
  })
  t.strictSame(rows.map((row) => row.slice(0, 3)).sort(), exported.sort())
})

test('the table of close codes', async (t) => {
  const { rows } = findTable(README, 'close code', '`cause`')

  await t.test('has every code of ours, in order', async (t) => {
    const codes = Object.values(closeCodes).filter((value) => typeof value === 'number')
    t.strictSame(rows.map(([code]) => Number(code)), codes.sort((a, b) => a - b))
  })

  await t.test('has every cause', async (t) => {
    const types = readFileSync(new URL('src/api/stats.ts', ROOT), 'utf8')
    const causes = new Set(rows.flatMap(([, cause = '']) => codesIn(cause)))
    t.strictSame([...causes].sort(), literalsOf(types, 'CloseCause').sort())
  })
})

test('the table of threats names options with their defaults, and tests that are there', async (t) => {
  const { rows } = findTable(FILES.get('SECURITY.md') ?? '', 'threat', 'defence', 'option')
  const named = rows.filter(([, , option]) => option !== 'none')
    .map(([, , option, value]) => `${option} ${value}`)
  t.ok(named.length > 10)
  t.strictSame(named.filter((row) => !defaults().includes(row)), [])
  const files = rows.map(([, , , , tests = '']) => codesIn(tests))
  t.strictSame(files.filter((paths) => paths.length === 0), [])
  t.strictSame(files.flat().filter((path) => !existsSync(new URL(path, ROOT))), [])
})

test('the table of dependencies names those of package.json, by kind', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  const expected = Object.entries({
    peer: manifest.peerDependencies,
    runtime: manifest.dependencies,
    dev: manifest.devDependencies
  }).flatMap(([kind, versions]) => Object.keys(versions).map((name) => `${name} ${kind}`))
  const { rows } = findTable(FILES.get('CONTRIBUTING.md') ?? '', 'package', 'kind', 'why')
  const named = rows.flatMap(([name = '', kinds = '']) =>
    kinds.split(', ').map((kind) => `${codesIn(name)[0]} ${kind}`))
  t.strictSame(named.sort(), expected.sort())
})

test('every relative link leads somewhere', async (t) => {
  t.strictSame(brokenLinks(FILES, (path) => existsSync(new URL(path, ROOT))), [])
})

test('the checks of this file', async (t) => {
  await t.test('find blocks, tables, sections and anchors', async (t) => {
    const markdown = [
      '# A `b.c` (d)', '', '| a | b |', '|---|---|', '| `1` | x \\| y |', '',
      '```ts', '# no heading', '| no | table |', '```', '## E', 'text', '## E'
    ].join('\n')
    t.strictSame(parseBlocks(markdown), [
      { language: 'ts', code: '# no heading\n| no | table |\n', line: 8 }
    ])
    t.strictSame(parseTables(markdown), [{ columns: ['a', 'b'], rows: [['`1`', 'x | y']] }])
    t.strictSame(anchorsIn(markdown), ['a-bc-d', 'e', 'e-1'])
    t.equal(section(markdown, 'E'), 'text')
  })

  const malformed: [title: string, look: () => unknown, message: string][] = [
    ['an endless block', () => parseBlocks('```ts\nx'), 'the code block of line 2 has no end'],
    ['an indented block', () => parseBlocks('\n ```ts'), 'the code block of line 2 is indented'],
    ['no such table', () => findTable('| a | b |', 'b'), 'expected one table | b |, found 0'],
    ['no such heading', () => section('# A', 'B'), 'there is no heading «B»'],
    ['no such interface', () => membersOf('', 'A'), 'there is no interface A'],
    ['no such type', () => literalsOf('', 'A'), 'there is no type A']
  ]
  for (const [title, look, message] of malformed) {
    await t.test(`do not pass over ${title}`, async (t) => {
      t.throws(look, { message })
    })
  }

  await t.test('find links that lead nowhere', async (t) => {
    const files = new Map([
      ['README.md', '# A\n[a](#a) [b](#b) ![c](docs/c.svg) [d](docs/d.md#d) [e](https://e.org)'],
      ['docs/d.md', '# D\n[a](../README.md#a) [b](../README.md#b) `[h](i)`']
    ])
    t.strictSame(linksIn('[a](b) ![c](d)'), ['b', 'd'])
    t.strictSame(brokenLinks(files, (path) => files.has(path)),
      ['README.md: #b', 'README.md: docs/c.svg', 'docs/d.md: ../README.md#b'])
  })

  await t.test('find what does not compile, at its line', async (t) => {
    const programs = parsePrograms('X.md', [
      '```ts', 'await app.register(timeSocket, { intervall: 1 })', '```',
      '```js', 'location.reload(1, 2)', '```',
      '```ts',
      "declare module 'fastify-time-socket' { interface TimeSocketContext { room: string } }",
      'await app.register(timeSocket, { context: () => ({}) })', '```'
    ].join('\n'))
    const found = check(programs).map((message) => message.split(' ', 1)[0])
    t.strictSame([...new Set(found)], ['X.md:2:', 'X.md:5:', 'X.md:9:'])
  })

  await t.test('find scripts that do not parse', async (t) => {
    const scripts = scriptsIn('<script>let a</script>\n<script type="module">let = </script>')
    t.strictSame(scripts.map((script) => syntaxErrors(script).length > 0), [false, true])
  })

  await t.test('print defaults as the table does', async (t) => {
    const printed = [undefined, 'a', 5, true, [], {}, () => ({}), { now: () => 1 }].map(print)
    t.strictSame(printed,
      ['none', "`'a'`", '`5`', '`true`', '`[]`', '`{}`', '`() => ({})`', '`{ now: () => 1 }`'])
  })

  await t.test('list the members of an interface and the members of a union', async (t) => {
    const members = membersOf('interface A { b: 1; readonly c?: 2; d (): void }', 'A')
    t.strictSame(members, ['b', 'c', 'd'])
    t.strictSame(literalsOf("type A = 'b' | 'c'; type D = 'e'", 'A'), ['b', 'c'])
    t.strictSame(literalsOf("type A = 'b' | 'c'; type D = 'e'", 'D'), ['e'])
  })
})

function markdownFiles (): Map<string, string> {
  const docs = existsSync(new URL('docs', ROOT)) ? readdirSync(new URL('docs', ROOT)) : []
  const paths = [
    'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'PROTOCOL.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  ]
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8')]))
}

/** Runs a server in this process. @returns its `app`, which is closed when the test ends. */
async function run (
  t: Test, program: Program, files: Record<string, string> = {}
): Promise<FastifyInstance> {
  const { app } = await load(t, program, files)
  return app
}

/** The same. @returns all that it exports. */
async function load (t: Test, program: Program, files: Record<string, string> = {}) {
  const redis = program.source.includes('port: 6379') ? await startRedis(t) : undefined
  const directory = t.testdir({ ...files, 'server.mjs': toModule(program, ENTRY, redis?.port) })
  const before = process.listeners('SIGTERM')
  const exported = await import(pathToFileURL(`${directory}/server.mjs`).href)
  t.teardown(() => exported.app.close())
  for (const listener of process.listeners('SIGTERM')) {
    if (!before.includes(listener)) process.off('SIGTERM', listener)
  }
  return exported
}

/** All options as the table should show them: name and default, nested ones as `drain.grace`. */
function defaults (): string[] {
  const resolved: Record<string, unknown> = resolveOptions({}, PLUGIN_TIMEOUT_MS)
  return optionNames().flatMap((name) => {
    const value = resolved[name]
    const fields = Object.entries(isRecord(value) ? value : {})
    const rows = fields.filter(([, field]) => !isFunction(field)).map(([field, value]) =>
      `\`${name}.${field}\` ${print(value)}`)
    if (rows.length > 0) return rows
    const [format] = Object.entries(FORMATS).find(([, format]) => format === value) ?? []
    return `\`${name}\` ${print(format ?? value)}`
  })
}

/** As the error lists them that refuses an unknown one. */
function optionNames (): string[] {
  try {
    resolveOptions({ unknown: 1 } as TimeSocketOptions, PLUGIN_TIMEOUT_MS)
  } catch (err) {
    return /one of ([\w, ]+), got/.exec((err as Error).message)?.[1]?.split(', ') ?? []
  }
  return []
}

function print (value: unknown): string {
  if (value === undefined || (isFunction(value) && value.name === 'ignore')) return 'none'
  if (typeof value === 'string') return `\`'${value}'\``
  if (Array.isArray(value)) return `\`${JSON.stringify(value)}\``
  if (!isRecord(value)) return `\`${String(value)}\``
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${String(field)}`)
  return fields.length === 0 ? '`{}`' : `\`{ ${fields.join(', ')} }\``
}

function isAccepted (options: object): boolean {
  try {
    resolveOptions(options, PLUGIN_TIMEOUT_MS)
    return true
  } catch {
    return false
  }
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFunction (value: unknown): value is Function {
  return typeof value === 'function'
}

/** The text with all digits alike. */
function shapeOf (text: string): string {
  return text.replace(/\d/g, '0')
}

/** The fields of an object and what kind of value each has. */
function kindsOf (object: Record<string, unknown>): string[] {
  return Object.entries(object).map(([name, value]) =>
    `${name}: ${Array.isArray(value) ? 'array' : typeof value}`)
}
