import { test } from 'tap'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable, parseTables, section } from '../../helpers/documents/markdown.js'
import { membersOf, publicMembersOf } from '../../helpers/documents/typescript-source.js'

/** What stands in backticks first in each row, without arguments. */
function namesIn (rows: readonly (readonly string[])[]): string[] {
  return rows.map(([name = '']) => codesIn(name)[0]?.replace(/\(.*/, '') ?? '')
}

test('the tables of members list every member', async (t) => {
  const markdown = documentAt('docs/reference/time-socket.md')
  const types = readSource('src/api/time-socket.ts')
  const tables: [heading: string, source: string, name: string][] = [
    ['`app.timeSocket`', types, 'TimeSocket'],
    ['A client', types, 'TimeSocketClient'],
    ['A tick', readSource('src/api/content.ts'), 'Tick'],
    ['Broadcast options', types, 'BroadcastOptions']
  ]
  for (const [heading, source, name] of tables) {
    const [table] = parseTables(section(markdown, heading))
    const members = membersOf(source, name).sort()
    t.strictSame(namesIn(table?.rows ?? []).sort(), members, heading)
  }
})

test('the tables of the browser client list every option, member and event', async (t) => {
  const markdown = documentAt('docs/reference/browser-client.md')
  const sourceOf = (file: string) => readSource(`src/browser/${file}`)
  const options = membersOf(sourceOf('clock-options.ts'), 'ServerClockOptions')
  const syncOptions = membersOf(sourceOf('clock-options.ts'), 'SyncOptions')
    .map((name) => `sync.${name}`)
  const tables: [column: string, names: string[]][] = [
    ['option', [...options.filter((name) => name !== 'sync'), ...syncOptions]],
    ['member', publicMembersOf(sourceOf('server-clock.ts'), 'ServerClock')],
    ['event', membersOf(sourceOf('clock-events.ts'), 'ClockEvents')]
  ]
  for (const [column, names] of tables) {
    const named = namesIn(findTable(markdown, column).rows)
    t.strictSame(named.sort(), names.sort(), column)
  }
})
