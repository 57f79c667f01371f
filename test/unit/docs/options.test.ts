import { test } from 'tap'
import { resolveRedisStreamsOptions } from '../../../src/cluster/redis/redis-options.js'
import type { RedisClient } from '../../../src/cluster/redis/redis-client.js'
import { FORMATS } from '../../../src/time/tick-format.js'
import type { FormatName } from '../../../src/api/tick.js'
import { documentAt } from '../../helpers/documents/documents.js'
import { codesIn, findTable, section } from '../../helpers/documents/markdown.js'
import { defaults, isAccepted, PLUGIN_TIMEOUT_MS, print } from '../../helpers/documents/option-table.js'

const README = documentAt('README.md')

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
    const [, min, margin] = /(\d+) to (\d+) below/.exec(meanings.get('shutdown.grace') ?? '') ?? []
    const maxMs = PLUGIN_TIMEOUT_MS - Number(margin)
    const tried = [Number(min), maxMs, Number(min) - 1, maxMs + 1]
    const accepted = tried.map((grace) => isAccepted({ shutdown: { grace } }))
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
  const tick = { seq: 7, at: sent, sent, interval: 1000, clockSteps: 0 }
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
