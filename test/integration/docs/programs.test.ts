import tap, { test } from 'tap'
import {
  check, parsePrograms, scriptsIn, syntaxErrors
} from '../../helpers/documents/document-programs.js'
import type { Program } from '../../helpers/documents/document-programs.js'
import { run } from '../../helpers/documents/document-server.js'
import { DOCUMENTS } from '../../helpers/documents/documents.js'
import { parseBlocks } from '../../helpers/documents/markdown.js'
import { needsRedis } from '../../helpers/programs/redis.js'

// A compiler and a dozen servers, on a machine that may be busy.
tap.setTimeout(600_000)

const PROGRAMS = [...DOCUMENTS].flatMap(([file, markdown]) => parsePrograms(file, markdown))
const SERVERS = PROGRAMS.filter(({ language }) => language === 'ts')
const BLOCKS = [...DOCUMENTS.values()].flatMap(parseBlocks)

test('every block of ts or js compiles in strict mode', async (t) => {
  t.not(SERVERS.length, 0)
  // Tests, settings and modules for other tools: these are not installed here.
  const isForOthers = ({ name = '', source }: Program) =>
    /\.(?:test|spec|config)\.js$/.test(name) || source.includes("from 'vue'")
  t.strictSame(check(PROGRAMS.filter((program) => !isForOthers(program))), [])
})

test('the compiler reports a mistake with the line of the document', async (t) => {
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

test('every script in a block of html parses', async (t) => {
  const scripts = BLOCKS.filter(({ language }) => language === 'html')
    .flatMap(({ code }) => scriptsIn(code))
  t.not(scripts.length, 0)
  t.strictSame(scripts.flatMap(syntaxErrors), [])
})

test('every block of json parses', async (t) => {
  const blocks = BLOCKS.filter(({ language }) => language === 'json')
  t.not(blocks.length, 0)
  for (const { code } of blocks) {
    t.doesNotThrow(() => JSON.parse(code), code)
  }
})

test('every block of ts runs', async (t) => {
  for (const program of SERVERS) {
    const options = program.source.includes('port: 6379') ? needsRedis : {}
    await t.test(program.place, options, async (t) => {
      const app = await run(t, program)
      await t.resolves(async () => { await app.ready() })
    })
  }
})
