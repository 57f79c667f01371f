import { readdir, readFile } from 'node:fs/promises'
import { test } from 'tap'
import {
  findCycle, findDeviations, parseArchitecture, readArchitecture, readRuntime
} from './helpers/architecture.js'
import { importsOf, packageOf } from './helpers/imports.js'

const ROOT = new URL('../', import.meta.url)

test('src is as CONTRIBUTING.md describes it', async (t) => {
  const markdown = await readFile(new URL('CONTRIBUTING.md', ROOT), 'utf8')
  const files = readArchitecture(await readSources())
  t.strictSame(findDeviations(parseArchitecture(markdown), files), [])
})

test('src has no cycle of imports when it runs', async (t) => {
  t.strictSame(findCycle(readRuntime(await readSources())), [])
})

test('importsOf', async (t) => {
  const forms: [source: string, specifier: string, isTypeOnly: boolean][] = [
    ["import './a.js'", './a.js', false],
    ["import a from './a.js'", './a.js', false],
    ["import { a, type A } from './a.js'", './a.js', false],
    ["import type { A } from './a.js'", './a.js', true],
    ["import type * as a from './a.js' with { 'resolution-mode': 'import' }", './a.js', true],
    ["import a = require('a')", 'a', false],
    ["import type a = require('a')", 'a', true],
    ["export * from './a.js'", './a.js', false],
    ["export { a } from './a.js'", './a.js', false],
    ["export type { A } from './a.js'", './a.js', true],
    ["const a = require('./a.js')", './a.js', false],
    ["const a = await import('a')", 'a', false],
    ["type A = import('./a.js').A", './a.js', true],
    ["declare module 'a' { interface A {} }", 'a', true]
  ]

  for (const [source, specifier, isTypeOnly] of forms) {
    await t.test(`finds ${source}`, async (t) => {
      t.strictSame(importsOf(source), [{ specifier, isTypeOnly }])
    })
  }

  await t.test('finds every import, in order', async (t) => {
    const specifiers = importsOf("import 'a'\nfunction f () { require('b') }\nexport * from 'c'")
      .map(({ specifier }) => specifier)
    t.strictSame(specifiers, ['a', 'b', 'c'])
  })

  await t.test('leaves out what only looks like one', async (t) => {
    const sources = [
      "// import 'a'", "const a = \"import 'a'\"", 'export const a = 1', 'namespace a {}',
      "load('a')", 'require(a)'
    ]
    t.strictSame(sources.flatMap(importsOf), [])
  })
})

test('packageOf takes a name apart', async (t) => {
  const specifiers = ['ws', 'ws/lib/sender.js', '@a/b', '@a/b/c', 'node:fs/promises', './ws.js']
  const names = ['ws', 'ws', '@a/b', '@a/b', 'node:fs/promises', undefined]
  t.strictSame(specifiers.map(packageOf), names)
})

test('parseArchitecture', async (t) => {
  const head = '| file | what it is | may import |\n|---|---|---|\n'

  await t.test('reads the file and what it may import', async (t) => {
    const table = parseArchitecture(`${head}| \`a.ts\` | of \`c\` | \`b\`, \`ws\` |\n`)
    t.strictSame(table, new Map([['a.ts', ['b', 'ws']]]))
  })

  await t.test('takes a dash for nothing', async (t) => {
    t.strictSame(parseArchitecture(`${head}| \`a.ts\` | it | — |\n`), new Map([['a.ts', []]]))
  })

  await t.test('refuses two rows for one file', async (t) => {
    const twice = '| `a.ts` | it | — |\n'.repeat(2)
    t.throws(() => parseArchitecture(head + twice), { message: 'there are two rows for a.ts' })
  })

  await t.test('refuses a text without the table', async (t) => {
    t.throws(() => parseArchitecture('| file | what it does |\n|---|---|\n'))
  })
})

test('readArchitecture', async (t) => {
  const sources = new Map([
    ['plugin.ts', "import './a/b.js'\nimport type I from './index.cjs'\nimport 'ws/lib'"],
    ['a/b.ts', "import '../plugin.js'\nimport type { C } from './c.js'\nimport './c.js'"]
  ])

  await t.test('names modules by their path, packages by their name', async (t) => {
    t.strictSame(readArchitecture(sources), new Map([
      ['plugin.ts', ['a/b', 'index', 'ws']],
      ['a/b.ts', ['plugin', 'a/c']]
    ]))
  })

  await t.test('is told apart from what is left when they run', async (t) => {
    t.strictSame(readRuntime(sources), new Map([
      ['plugin.ts', ['a/b', 'ws']],
      ['a/b.ts', ['plugin', 'a/c']]
    ]))
  })
})

test('findDeviations', async (t) => {
  const files = new Map([['a.ts', ['b', 'ws']], ['b.ts', []]])

  const tables: [title: string, table: [string, string[]][], deviations: string[]][] = [
    ['nothing where all is as it should be', [['b.ts', []], ['a.ts', ['ws', 'b']]], []],
    ['a file without a row', [['a.ts', ['b', 'ws']]], ['b.ts is not in the table']],
    ['a row without a file', [['a.ts', ['b', 'ws']], ['b.ts', []], ['c.ts', ['ws']]],
      ['c.ts is in the table, but is no file']],
    ['an import that is not allowed', [['a.ts', ['b']], ['b.ts', []]],
      ['a.ts imports ws, which it may not']],
    ['an allowed import that is not used', [['a.ts', ['b', 'ws']], ['b.ts', ['ws']]],
      ['b.ts may import ws, but does not']]
  ]

  for (const [title, table, deviations] of tables) {
    await t.test(`finds ${title}`, async (t) => {
      t.strictSame(findDeviations(new Map(table), files), deviations)
    })
  }
})

test('findCycle', async (t) => {
  const graphs: [title: string, graph: [string, string[]][], cycle: string[]][] = [
    ['none in a diamond', [['a.ts', ['b', 'c']], ['b.ts', ['d']], ['c.ts', ['d']], ['d.ts', []]],
      []],
    ['a file that imports itself', [['a.cts', ['a']]], ['a', 'a']],
    ['the way round, without the way to it',
      [['a.ts', ['b']], ['b.ts', ['ws', 'c']], ['c.ts', ['b']]], ['b', 'c', 'b']]
  ]

  for (const [title, graph, cycle] of graphs) {
    await t.test(`finds ${title}`, async (t) => {
      t.strictSame(findCycle(new Map(graph)), cycle)
    })
  }
})

/** Every file below `src`, by its path there. */
async function readSources (): Promise<Map<string, string>> {
  const entries = await readdir(new URL('src', ROOT), { recursive: true })
  const files = entries.map((entry) => entry.replaceAll('\\', '/')).sort()
  const sources = await Promise.all(files.filter((file) => file.endsWith('ts')).map(
    async (file) => [file, await readFile(new URL(`src/${file}`, ROOT), 'utf8')] as const
  ))
  return new Map(sources)
}
