import { test } from 'tap'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable, parseTables, section } from '../../helpers/documents/markdown.js'
import { membersOf } from '../../helpers/documents/typescript-source.js'

const README = documentAt('README.md')

test('the tables of members name all there are', async (t) => {
  const types = readSource('src/api/time-socket.ts')
  const ticker = readSource('src/api/tick.ts')
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
  const sourceOf = (file: string) => readSource(`src/browser/${file}`)
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
