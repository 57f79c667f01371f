import { pino } from 'pino'
import { test } from 'tap'
import { attempt, createFailureLog, createOutageLog } from '../../../src/observability/failure-log.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { createLog } from '../../helpers/fakes/log.js'
import type { LogLine } from '../../helpers/fakes/log.js'

function setUp () {
  const { lines, logger } = createLog()
  const time = createFakeTime({ wallMs: 0 })
  return { lines, time, log: pino({ level: 'debug' }, logger.stream) }
}

test('logs the first failure and the recovery with the count, and failures in between at debug', async (t) => {
  const { lines, time, log } = setUp()
  const outageLog = createOutageLog(log, 'the formatter', time.timers)
  outageLog.worked()
  outageLog.failed(new Error('one'))
  outageLog.failed(new Error('two'))
  outageLog.worked()
  outageLog.worked()
  time.advance(10_000)
  outageLog.failed(new Error('three'))
  t.strictSame(lines.map(summarise), [
    [50, 'the formatter failed', undefined, undefined, 'one'],
    [20, 'the formatter failed', undefined, undefined, 'two'],
    [50, 'the formatter works again', undefined, 2, undefined],
    [50, 'the formatter failed', undefined, undefined, 'three']
  ])
})

test('what fails every other time has at most two error lines in ten seconds', async (t) => {
  const { lines, time, log } = setUp()
  const outageLog = createOutageLog(log, 'the formatter', time.timers)
  for (let count = 0; count < 1200; count++) {
    outageLog.failed(new Error('again'))
    time.advance(5)
    outageLog.worked()
    time.advance(5)
  }
  const errors = lines.filter(({ level }) => level === 50)
  t.strictSame(errors.map(({ msg, failures }) => [msg, failures]), [
    ['the formatter failed', undefined],
    ['the formatter works again', 1],
    ['the formatter failed', undefined],
    ['the formatter works again', 1000]
  ])
})

test('a callback that clients make fail gets at most one error line in ten seconds', async (t) => {
  const { lines, time, log } = setUp()
  const failureLog = createFailureLog(log, 'onMessage', time.timers)
  for (const id of ['a', 'b', 'c']) {
    failureLog.failed(new Error(id), { id })
  }
  time.advance(10_000)
  failureLog.failed(new Error('d'), { id: 'd' })
  t.strictSame(lines.map(summarise), [
    [50, 'onMessage failed', 'a', 1, 'a'],
    [20, 'onMessage failed', 'b', 1, 'b'],
    [20, 'onMessage failed', 'c', 2, 'c'],
    [50, 'onMessage failed', 'd', 3, 'd']
  ])
})

const error = new Error('no database')

const outcomes: [title: string, call: () => unknown, worked: boolean, isAsync: boolean][] = [
  ['returns', () => 'x', true, false],
  ['returns nothing', () => {}, true, false],
  ['returns null', () => null, true, false],
  ['throws', () => { throw error }, false, false],
  ['resolves', async () => 'x', true, true],
  ['rejects', async () => { throw error }, false, true],
  ['returns a thenable that fails', () => ({ then: (_: unknown, fail: (err: Error) => void) => fail(error) }), false, true],
  ['returns a thenable that throws', () => ({ then () { throw error } }), false, true],
  ['returns what has a then that cannot be read', () => ({ get then () { throw error } }), false, false]
]

for (const [title, call, worked, isAsync] of outcomes) {
  test(`a callback that ${title} ${worked ? 'worked' : 'failed'}`, async (t) => {
    const failureLog = createFakeOutageLog()
    const result = attempt(failureLog, call)
    t.equal(result instanceof Promise, isAsync)
    t.equal(await result, worked)
    t.strictSame(failureLog.told, worked ? [] : [error])
  })
}

test('a callback that never settles tells nothing', async (t) => {
  const failureLog = createFakeOutageLog()
  attempt(failureLog, () => new Promise(() => {}))
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(failureLog.told, [])
})

function summarise ({ level, msg, id, failures, err }: LogLine): unknown[] {
  return [level, msg, id, failures, (err as Error | undefined)?.message]
}
