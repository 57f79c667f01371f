import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { test } from 'tap'
import ts from 'typescript'
import { packPackage } from '../../helpers/programs/packed-package.js'

/** How the settings of a project can ask for modules: `module` and `moduleResolution`. */
const MODES: readonly [mode: string, ts.ModuleKind, ts.ModuleResolutionKind][] = [
  ['node16', ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
  ['nodenext', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
  ['bundler', ts.ModuleKind.Preserve, ts.ModuleResolutionKind.Bundler]
]

const IMPORTS = `
import fastify from 'fastify'
import timeSocket, { fastifyTimeSocket, InvalidOptionError } from 'fastify-time-socket'
import { redisStreams } from 'fastify-time-socket/redis'
import type { RedisClient } from 'fastify-time-socket/redis'
import type { Tick, TimeSocket, TimeSocketClient, TimeSocketOptions } from 'fastify-time-socket'
`
const REQUIRES = `
import fastify = require('fastify')
import timeSocket = require('fastify-time-socket')
import redis = require('fastify-time-socket/redis')
const { fastifyTimeSocket, InvalidOptionError } = timeSocket
const { redisStreams } = redis
type RedisClient = redis.RedisClient
type Tick = timeSocket.Tick
type TimeSocketOptions = timeSocket.TimeSocketOptions
type TimeSocketClient<Context> = timeSocket.TimeSocketClient<Context>
`
/** What everybody writes below that. */
const APPLICATION = `
declare module 'fastify-time-socket' {
  interface TimeSocketContext { user: string }
  interface TimeSocketNamespaces { auction: TimeSocket<{ bids: number }> }
}

const options: TimeSocketOptions = {
  interval: 1000,
  context: (request) => ({ user: request.ip }),
  onConnect: (client) => client.send(client.context.user.toUpperCase())
}

const app = fastify()
app.register(timeSocket, options)
app.register(fastifyTimeSocket, {
  namespace: 'auction',
  preValidation: async (request, reply) => {
    if (request.headers.authorization === undefined) await reply.code(401).send()
  }
})
app.timeSocket.broadcast({ bid: 5 }, { filter: (client) => client.context.user !== '' })
for (const client of app.timeSocket.auction.clients.values()) client.context.bids++

const lastTick: Tick | undefined = app.timeSocket.lastTick
const greet = (client: TimeSocketClient<{ name: string }>) => client.send(client.context.name)
const codeOf = (err: unknown) => err instanceof InvalidOptionError ? err.code : undefined
const share = (client: RedisClient) => {
  app.register(timeSocket, { backplane: redisStreams(client, { key: 'app' }) })
}
void [lastTick, greet, codeOf, share]

// @ts-expect-error
app.register(timeSocket, { interval: '1000' })
// @ts-expect-error
app.register(timeSocket, { intervall: 1000 })
// @ts-expect-error
app.timeSocket.broadcast('', { filter: (client) => client.context.name !== '' })
// @ts-expect-error
app.timeSocket.lottery
`
/** The client, in a page and in Node. */
const CLIENT = `
import { ServerClock } from 'fastify-time-socket/client'
import type { CloseDetail, ServerClockOptions } from 'fastify-time-socket/client'

const options: ServerClockOptions = { sync: { probes: 4, every: 16_000 } }
const clock: ServerClock = new ServerClock(() => '/time', options)
const last: CloseDetail[] = []
clock.addEventListener('close', ({ detail }) => { last.push(detail) })
clock.addEventListener('step', (event) => { event.detail.by.toFixed(0) })
const cancel = clock.at(clock.now() + 1000, () => clock.send({ bid: 5 }))
const ready: Promise<void> = clock.ready({ error: 20, signal: AbortSignal.timeout(5000) })
void [cancel, ready]

// @ts-expect-error
clock.addEventListener('tick', ({ detail }) => { detail.sent.toUpperCase() })
// @ts-expect-error
clock.error = 5
`
/** The client and the elements, from CommonJS. */
const CLIENT_REQUIRES = `
import client = require('fastify-time-socket/client')
import elements = require('fastify-time-socket/elements')
const options: client.ServerClockOptions = { sync: { probes: 4 } }
class Clock extends client.ServerClock<{ bid: number }> {}
const clock: client.ServerClock<{ bid: number }> = new Clock('/time', options)
clock.addEventListener('message', ({ detail }) => { detail.bid.toFixed(0) })
const shown: elements.ServerTimeElement | null = document.querySelector('server-time')
void [shown?.clock, new elements.ServerCountdownElement()]

// @ts-expect-error
clock.addEventListener('message', ({ detail }) => { detail.toUpperCase() })
`
const IN_NODE: ts.CompilerOptions = { lib: ['lib.es2022.d.ts'], types: ['node'] }
const IN_PAGE: ts.CompilerOptions = { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] }

const STYLES: readonly [style: string, file: string, source: string][] = [
  ['an ES module that imports it', 'esm.mts', IMPORTS + APPLICATION],
  ['a CommonJS module that imports it', 'interop.cts', IMPORTS + APPLICATION],
  ['a CommonJS module that requires it', 'cjs.cts', REQUIRES + APPLICATION]
]

/** An ES module, and CommonJS modules that import and require the client. */
const CLIENT_FILES = ['client.mts', 'client-interop.cts', 'client-cjs.cts']
const CLIENT_PLACES: readonly [place: string, files: string[], settings: ts.CompilerOptions][] = [
  ['in Node', ['client.mts'], IN_NODE],
  ['in a page', CLIENT_FILES, IN_PAGE]
]

/** Programs share what they read, and check other libraries once, to spare half a minute. */
const parsed = new Map<string, ts.SourceFile | undefined>()
const checked = new Set<ts.SourceFile>()

test('a project in strict TypeScript without skipLibCheck', async (t) => {
  const { project } = await packPackage()
  for (const [, file, source] of STYLES) await writeFile(join(project, file), source)
  await writeFile(join(project, 'client.mts'), CLIENT)
  await writeFile(join(project, 'client-interop.cts'), CLIENT)
  await writeFile(join(project, 'client-cjs.cts'), CLIENT_REQUIRES)

  for (const [mode, module, moduleResolution] of MODES) {
    for (const [style, file] of STYLES) {
      await t.test(`compiles with ${mode} ${style}`, async (t) => {
        const settings = { module, moduleResolution, ...IN_NODE }
        const program = createProgram([join(project, file)], settings)
        t.strictSame(problemsOf(program, project), [])
        t.strictSame(websocketTypesOf(program), [])
      })
    }
    for (const [place, files, settings] of CLIENT_PLACES) {
      await t.test(`compiles with ${mode} and the client ${place}`, async (t) => {
        const paths = files.map((file) => join(project, file))
        const program = createProgram(paths, { module, moduleResolution, ...settings })
        t.strictSame(problemsOf(program, project), [])
      })
    }
  }
})

test('the package', async (t) => {
  const { directory } = await packPackage()

  const entries: [entry: string, imported: string, required: string, example: string][] = [
    ['.', 'index', 'index-cjs', 'TimeSocketOptions'],
    ['./client', 'browser/index', 'browser/index-cjs', 'ServerClockOptions'],
    ['./elements', 'elements/index', 'elements/index-cjs', 'ServerTimeElement'],
    ['./elements/react', 'elements/react', 'elements/react-cjs', 'ServerTimeProps'],
    ['./redis', 'cluster/redis/index', 'cluster/redis/index-cjs', 'RedisClient'],
    ['./backplane-contract', 'cluster/contract/index', 'cluster/contract/index-cjs', 'BackplaneEngine']
  ]
  const pathsOf = (imported: string, required: string) => (
    [`dist/${imported}.d.ts`, `dist/${required}.d.cts`].map((path) => join(directory, path))
  )
  const program = createProgram(
    entries.flatMap(([, imported, required]) => pathsOf(imported, required)),
    { module: ts.ModuleKind.Node16 }
  )
  for (const [entry, imported, required, example] of entries) {
    await t.test(`names every type for require that it names for import: ${entry}`, async (t) => {
      const [names, others] = pathsOf(imported, required).map((path) => typesOf(program, path))
      t.ok(names?.includes(example))
      t.strictSame(others, names)
    })
  }
})

function createProgram (paths: readonly string[], settings: ts.CompilerOptions): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    ...settings
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (path, languageVersion, ...others) => {
    const key = JSON.stringify([path, languageVersion])
    const file = parsed.get(key) ?? getSourceFile(path, languageVersion, ...others)
    parsed.set(key, file)
    return file
  }
  return ts.createProgram(paths, options, host)
}

/** @returns all that the compiler has to say, as `esm.mts:12: …`. */
function problemsOf (program: ts.Program, project: string): string[] {
  const files = program.getSourceFiles()
    .filter((file) => file.fileName.startsWith(project) || !checked.has(file))
  const diagnostics = files.flatMap((file) => {
    checked.add(file)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
  })
  diagnostics.push(...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics())
  return diagnostics.map(({ file, start = 0, messageText }) => {
    const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: 0 }
    const message = ts.flattenDiagnosticMessageText(messageText, ' ')
    return `${file && relative(project, file.fileName)}:${line + 1}: ${message}`
  })
}

/** Types that a project would have to install itself, and those that need them. */
function websocketTypesOf (program: ts.Program): string[] {
  return program.getSourceFiles().map(({ fileName }) => fileName)
    .filter((path) => /node_modules\/(@types\/ws|@fastify\/websocket)\//.test(path))
}

/** The names of the types that a module exports, sorted. */
function typesOf (program: ts.Program, path: string): string[] {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(path)
  const module = file && checker.getSymbolAtLocation(file)
  if (module === undefined) throw new Error(`${path} is no module`)
  const isType = (symbol: ts.Symbol) => (targetOf(symbol).flags & ts.SymbolFlags.Type) !== 0
  const targetOf = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return checker.getExportsOfModule(module).filter(isType).map(({ name }) => name).sort()
}
