import { readFileSync } from 'node:fs'
import { test } from 'tap'
import * as closeCodes from '../../../src/protocol/close-codes.js'
import * as protocol from '../../../src/protocol/time-v1.js'
import { resolveOptions } from '../../../src/config/resolve-options.js'
import { readClientText } from '../../../src/protocol/time-v1-text.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { codesIn, findTable, parseBlocks, parseTables, section } from '../../helpers/documents/markdown.js'
import { membersOf } from '../../helpers/documents/typescript-source.js'
import { ROOT } from '../../helpers/root.js'

const TEXT = readFileSync(new URL('PROTOCOL.md', ROOT), 'utf8')
const SOURCE = readFileSync(new URL('src/protocol/time-v1.ts', ROOT), 'utf8')

/** Under each heading, the types of its examples, in order. */
const SHAPES: [heading: string, ...types: string[]][] = [
  ['`hello`', 'HelloMessage'],
  ['`tick`', 'TickMessage'],
  ['`sync`', 'SyncRequest', 'SyncReply'],
  ['`message`', 'DataMessage', 'DataMessage'],
  ['`cancel`', 'CancelMessage']
]

type Example = Record<string, unknown>

function examplesIn (text: string): Example[] {
  return parseBlocks(text).map(({ code }) => JSON.parse(code))
}

/** The fields of one of its tables, with what they must be. */
function fieldsIn (rows: readonly (readonly string[])[]): Map<string, string> {
  return new Map(rows.map(([field = '', type = '']) => [codesIn(field)[0] ?? '', type]))
}

/** Whether a value is what the table says. */
function fits (value: unknown, type: string): boolean {
  const [, min = '', max = 'Infinity'] = /(−?\d+) (?:to|from|up)? ?(\d+)?/.exec(type) ?? []
  const isInRange = Number(value) >= Number(min.replace('−', '-')) && Number(value) <= Number(max)
  if (type.startsWith('any')) return true
  if (type.startsWith('string')) return typeof value === 'string' && value !== ''
  if (type.startsWith('integer')) return Number.isInteger(value) && isInRange
  return typeof value === 'number' && Math.round(value * 100) / 100 === value
}

for (const [heading, ...types] of SHAPES) {
  const text = section(TEXT, heading)
  const examples = examplesIn(text)
  const tables = parseTables(text)

  test(`the examples of ${heading} have the documented type`, async (t) => {
    t.strictSame(examples.map(({ type }) => type), types.map(() => codesIn(heading)[0]))
    for (const [index, type] of types.entries()) {
      const members = membersOf(SOURCE, type).sort()
      const fields = Object.keys(examples[index] ?? {}).sort()
      // Of a message, fields may be missing.
      if (type !== 'DataMessage') t.strictSame(fields, members, type)
      else t.ok(fields.every((field) => members.includes(field)), type)
    }
  })

  test(`the tables of ${heading} list each field, and its examples match`, async (t) => {
    const [shared = { rows: [] }] = tables
    for (const [index, type] of types.entries()) {
      const fields = fieldsIn((tables[index] ?? shared).rows)
      t.strictSame(['type', ...fields.keys()].sort(), membersOf(SOURCE, type).sort(), type)
      for (const [field, value] of Object.entries(examples[index] ?? {})) {
        t.ok(fits(value, fields.get(field) ?? 'string'), `${type}: ${field}`)
      }
    }
  })
}

test('every type of message has a section with its directions', async (t) => {
  const { rows } = findTable(TEXT, 'direction', '`type`')
  const told = rows.map(([direction = '', type = '']) => `${direction}: ${codesIn(type)[0]}`)
  const typesOf = (union: string) => (new RegExp(`type ${union} = (.*)`).exec(SOURCE)?.[1] ?? '')
    .split(' | ').map((name) => new RegExp(`interface ${name} {[^}]*?type: '(\\w+)'`).exec(SOURCE)?.[1])
  t.strictSame(told.sort(), [
    ...typesOf('ServerMessage').map((type) => `server to client: ${type}`),
    ...typesOf('ClientMessage').map((type) => `client to server: ${type}`)
  ].sort())
})

test('the server reads every documented client message', async (t) => {
  const [request] = examplesIn(section(TEXT, '`sync`'))
  const [, message] = examplesIn(section(TEXT, '`message`'))
  t.strictSame(readClientText(JSON.stringify(request)), request)
  t.strictSame(readClientText(JSON.stringify(message)), { type: 'message', text: '{"bid":5}' })
})

test('ids are accepted in the documented range, and no other', async (t) => {
  const { rows } = findTable(section(TEXT, '`sync`').split('Server to client')[0] ?? '', 'field')
  const [, min = NaN, max = NaN] = (/(\d+) to (\d+)/.exec(rows[0]?.[1] ?? '') ?? []).map(Number)
  const isTaken = (id: number) => readClientText(`{"type":"sync","id":${id}}`) !== undefined
  t.strictSame([min, max, min - 1, max + 1].map(isTaken), [true, true, false, false])
})

test('the documented limits are the defaults, and the documented intervals are those allowed', async (t) => {
  const { messageRate, maxMessageBytes } = resolveOptions({}, 10_000)
  t.match(messageRate, { burst: Number, perSecond: Number })
  const { burst, perSecond } = messageRate as { burst: number, perSecond: number }
  t.match(TEXT.replace(/\s+/g, ' '), `(${burst} at once, then ${perSecond} per second, unless`)
  t.match(TEXT, `(${maxMessageBytes} bytes, unless configured otherwise)`)
  for (const [, min, max] of TEXT.matchAll(/`interval` \| integer, (\d+) to (\d+)/g)) {
    for (const interval of [Number(min), Number(max)]) resolveOptions({ interval }, 10_000)
    for (const interval of [Number(min) - 1, Number(max) + 1]) {
      t.throws(() => resolveOptions({ interval }, 10_000))
    }
  }
})

test('every close code is documented with what to do, and so are the final ones', async (t) => {
  const { rows } = findTable(TEXT, 'close code')
  const told = rows.flatMap(([code = '']) => code.split(', ')).filter((code) => code !== 'others')
  const codes = Object.values(closeCodes).filter((value) => typeof value === 'number')
  t.strictSame(told.map(Number).sort(), [...new Set([...codes, protocol.DO_NOT_RECONNECT])].sort())
  const stops = rows.filter(([, , remedy]) => remedy?.startsWith('stop')).map(([code]) => Number(code))
  t.strictSame(stops, [protocol.DO_NOT_RECONNECT])
})

test('the documented name is that of the subprotocol', async (t) => {
  t.match(TEXT, new RegExp(`^# \`${protocol.TIME_PROTOCOL}\`\n`))
})

test('a plain GET is answered with the fields of the example, on a real port', async (t) => {
  const { app } = await createTimeApp(t)
  const answer = await fetch(`http://127.0.0.1:${await listen(app)}/time`)
  const [example = {}] = examplesIn(section(TEXT, 'Connecting'))
  const kindsOf = (fields: Example) =>
    Object.entries(fields).map(([name, value]) => [name, typeof value])
  t.strictSame(kindsOf(await answer.json() as Example), kindsOf(example))
})
