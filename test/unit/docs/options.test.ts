import { test } from 'tap'
import { resolveRedisStreamsOptions } from '../../../src/cluster/redis/redis-options.js'
import type { RedisClient } from '../../../src/cluster/redis/redis-client.js'
import { FORMATS } from '../../../src/time/tick-format.js'
import type { FormatName } from '../../../src/api/option-values.js'
import { documentAt } from '../../helpers/documents/documents.js'
import { codesIn, findTable, findTables, section } from '../../helpers/documents/markdown.js'
import {
  defaults, isAccepted, optionNames, PLUGIN_TIMEOUT_MS, print
} from '../../helpers/documents/option-table.js'

const OPTIONS = documentAt('docs/reference/options.md')

test('the tables of options', async (t) => {
  const rows = findTables(OPTIONS, 'option', 'default', 'meaning').flatMap(({ rows }) => rows)
  const meanings = new Map(rows.map(([option = '', , meaning = '']) =>
    [codesIn(option)[0], meaning]))

  await t.test('name every option, and no other, with its default', async (t) => {
    const named = rows.map(([option, value]) => `${option} ${value}`)
    t.strictSame(named.sort(), defaults().sort())
  })

  await t.test('have the order of the list above them', async (t) => {
    const [list = ''] = OPTIONS.split('\n## ')
    const listed = list.split('\n- ').slice(1).flatMap(codesIn)
    t.strictSame([...new Set(rows.flatMap(([option = '']) =>
      codesIn(option)[0]?.split('.')[0] ?? []))], listed)
  })

  await t.test('give the range of accepted intervals', async (t) => {
    const [, min, max] = /(\d[\d ]*) to (\d[\d ]*)/.exec(meanings.get('interval') ?? '') ?? []
    const [minMs = NaN, maxMs = NaN] = [min, max].map((text) => Number(text?.replaceAll(' ', '')))
    const tried = [minMs, maxMs, minMs - 1, maxMs + 1, minMs + 0.5]
    const accepted = tried.map((interval) => isAccepted({ interval }))
    t.strictSame(accepted, [true, true, false, false, false])
  })

  await t.test('give the range of accepted graces', async (t) => {
    const [, min, margin] = /(\d+) to .*− (\d+) /.exec(meanings.get('shutdown.grace') ?? '') ?? []
    const maxMs = PLUGIN_TIMEOUT_MS - Number(margin)
    const tried = [Number(min), maxMs, Number(min) - 1, maxMs + 1]
    const accepted = tried.map((grace) => isAccepted({ shutdown: { grace } }))
    t.strictSame(accepted, [true, true, false, false])
  })

  await t.test('name every format', async (t) => {
    const named = codesIn(meanings.get('format') ?? '').filter((code) => code.startsWith("'"))
    t.strictSame(named.map((code) => code.replaceAll("'", '')), Object.keys(FORMATS))
  })

  await t.test('name the route options that are refused', async (t) => {
    const [accepted = '', refused = ''] = (meanings.get('route') ?? '').split('; not ')
    const areAccepted = (names: string) => codesIn(names).map((name) =>
      [() => {}, {}, 'warn'].some((value) => isAccepted({ route: { [name]: value } })))
    t.strictSame(new Set(areAccepted(accepted)), new Set([true]))
    t.strictSame(new Set(areAccepted(refused)), new Set([false]))
  })
})

test('the table of options in README.md names options, with their defaults', async (t) => {
  const { rows } = findTable(documentAt('README.md'), 'option', 'default', 'in one line')
  const known = optionNames()
  const names = rows.flatMap(([option = '']) => codesIn(option))
  t.strictSame(names.filter((name) => !known.includes(name)), [])
  const given = rows.filter(([, value = '']) => /^`[^`]+`$|^none$/.test(value))
    .flatMap(([option = '', value]) => codesIn(option).map((name) => `\`${name}\` ${value}`))
  t.strictSame(given.filter((row) => !defaults().includes(row)), [])
})

test('the table of options of redisStreams lists every option with its default', async (t) => {
  const { rows } = findTable(
    documentAt('docs/guide/several-servers.md'), '`redisStreams` option', 'default', 'meaning'
  )
  const client = { call () {}, callBuffer () {}, duplicate () {} } as unknown as RedisClient
  const defaults = Object.entries(resolveRedisStreamsOptions(client, {}))
    .filter(([name]) => name !== 'engine')
  t.strictSame(rows.map(([option, value]) => `${option} ${value}`),
    defaults.map(([name, value]) => `\`${name}\` ${print(value)}`))
})

test('the table of formats shows the output of each format for one tick', async (t) => {
  const sent = 1795262405000
  const tick = { seq: 7, at: sent, sent, interval: 1000, clockSteps: 0 }
  const { rows } = findTable(section(OPTIONS, 'Formats'), '`format`')
  const shown = new Map(rows.map(([name = '', frame = '']) =>
    [codesIn(name)[0]?.replaceAll("'", ''), codesIn(frame)[0] ?? '']))
  t.strictSame([...shown.keys()], Object.keys(FORMATS))
  for (const [name, frame] of shown) {
    // Its text depends on the time zone of the process.
    if (name === 'date-string') t.equal(new Date(frame).getTime(), sent)
    else t.equal(frame, FORMATS[name as FormatName](tick))
  }
})
