import { readdirSync } from 'node:fs'
import { test } from 'tap'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'
import { ROOT } from '../../helpers/root.js'
import { literalsOf, logLinesIn, membersOf } from '../../helpers/documents/typescript-source.js'

const STATISTICS = documentAt('docs/reference/statistics-and-logs.md')
const STATS = readSource('src/api/stats.ts')

test('the tables of statistics list every counter', async (t) => {
  const tables: [column: string, names: string[]][] = [
    ['field', membersOf(STATS, 'Stats')],
    ['cause', literalsOf(STATS, 'RefusalCause')],
    ['counter', membersOf(STATS, 'BackplaneStats')]
  ]
  for (const [column, names] of tables) {
    const named = findTable(STATISTICS, column).rows.map(([name = '']) => codesIn(name)[0] ?? '')
    t.strictSame(named, names, column)
  }
})

test('the table of channels lists the published channels', async (t) => {
  const source = readSource('src/observability/telemetry.ts')
  const published = [...source.matchAll(/channel\('([^']+)'\)/g)].map(([, name = '']) => name)
  const { rows } = findTable(STATISTICS, 'channel')
  t.not(published.length, 0)
  t.strictSame(rows.map(([name = '']) => codesIn(name)[0]), published)
})

test('the table of log lines has every line, and no other, with its level', async (t) => {
  const files = readdirSync(new URL('src', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
  const written = files.flatMap((file) => logLinesIn(readSource(`src/${file}`)))
  const { rows } = findTable(STATISTICS, 'level', 'message')
  const documented = rows.map(([level, message = '']) => `${level} ${codesIn(message)[0]}`)
  const isSame = (pattern: string, line: string) =>
    new RegExp(`^${pattern.replace(/[.@()]/g, '\\$&').replaceAll('…', '.+')}$`).test(line)
  t.strictSame(written.filter((line) => !documented.some((row) => isSame(row, line))), [])
  t.strictSame(documented.filter((row) => !written.some((line) => isSame(row, line))), [])
})
