import { test } from 'tap'
import { createBackplaneHealth } from '../../../src/cluster/backplane-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const ERR = new Error('ECONNREFUSED')

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const counters = {
    published: 0, received: 0, lost: 0, duplicate: 0, stale: 0, invalid: 0, errors: 0
  }
  const lines: unknown[] = []
  const write = (level: string) => (fields: object, message: string) => {
    lines.push([level, message, fields])
  }
  const log = { debug () {}, info: write('info'), warn: write('warn'), error: write('error') }
  const health = createBackplaneHealth({ counters, timers: time.timers, log })
  function pass (seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      time.advance(1000)
      health.logChanges()
    }
  }
  return { time, counters, lines, health, pass }
}

test('logs an outage once, and the recovery once, with the counts', async (t) => {
  const { counters, lines, health, pass } = setUp()
  counters.lost = 5
  health.failed('reading', ERR)
  health.failed('publishing', ERR)
  pass(3)
  health.failed('reading', ERR)
  health.worked('publishing')
  health.worked('reading')
  counters.lost += 7
  pass(1)
  t.equal(lines.length, 1)
  pass(10)
  t.strictSame(lines, [
    ['error', 'the backplane failed', { err: ERR }],
    ['error', 'the backplane is back', {
      away: 3000, published: 0, received: 0, lost: 7, duplicate: 0, stale: 0, invalid: 0, errors: 2
    }]
  ])
  t.equal(counters.errors, 3)
})

test('logs no recovery while one direction still fails', async (t) => {
  const { lines, health, pass } = setUp()
  health.failed('reading', ERR)
  health.worked('publishing')
  pass(60)
  t.equal(lines.length, 1)
})

test('logs a second outage', async (t) => {
  const { lines, health, pass } = setUp()
  for (let round = 0; round < 2; round++) {
    health.failed('publishing', ERR)
    health.worked('publishing')
    pass(5)
  }
  t.equal(lines.length, 4)
})

test('logs losses without an outage, at most every ten seconds', async (t) => {
  const { counters, lines, pass } = setUp()
  counters.lost = 3
  pass(2)
  counters.lost = 4
  counters.stale = 1
  counters.invalid = 2
  counters.duplicate = 9
  pass(20)
  const message = 'messages of other servers were lost'
  t.strictSame(lines, [
    ['warn', message, { lost: 3, stale: 0, invalid: 0 }],
    ['warn', message, { lost: 1, stale: 1, invalid: 2 }]
  ])
})

test('logs nothing while nothing happens', async (t) => {
  const { counters, lines, pass } = setUp()
  counters.published = counters.received = 100
  pass(60)
  t.strictSame(lines, [])
})

test('logs each cause of an outage once, and five at most', async (t) => {
  const { lines, health } = setUp()
  const causes = ['a', 'a', 'b', 'c', 'b', 'd', 'e', 'f', 'g']
  for (const cause of causes) health.failed('reading', cause === 'c' ? cause : new Error(cause))
  t.strictSame(lines.map((line) => String((line as [string, string, { err: unknown }])[2].err)),
    ['Error: a', 'Error: b', 'c', 'Error: d', 'Error: e'])
})

test('logs once why a message could not be delivered', async (t) => {
  const { counters, lines, health, pass } = setUp()
  counters.lost = 1
  health.rejected(ERR)
  pass(1)
  counters.lost = 2
  pass(10)
  const message = 'messages of other servers were lost'
  t.strictSame(lines, [
    ['warn', message, { lost: 1, stale: 0, invalid: 0, err: ERR }],
    ['warn', message, { lost: 1, stale: 0, invalid: 0 }]
  ])
})

test('does not log with later losses why a message was not delivered during an outage', async (t) => {
  const { counters, lines, health, pass } = setUp()
  health.failed('reading', new Error('gone'))
  health.rejected(ERR)
  health.worked('reading')
  pass(10)
  lines.length = 0
  counters.lost = 1
  pass(1)
  t.strictSame(lines, [['warn', 'messages of other servers were lost', { lost: 1, stale: 0, invalid: 0 }]])
})
