import { pino } from 'pino'
import { test } from 'tap'
import { attempt, createCallbackFault, createFault } from '../../../src/observability/failure-log.js'
import { createFakeFault } from '../../helpers/fakes/fake-fault.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { createLog } from '../../helpers/fakes/log.js'
import type { LogLine } from '../../helpers/fakes/log.js'

test('logs the first failure and the recovery with the count, and failures in between at debug', async (t) => {
  const { lines, logger } = createLog()
  const fault = createFault(pino({ level: 'debug' }, logger.stream), 'the formatter')
  fault.ended()
  fault.occurred(new Error('one'))
  fault.occurred(new Error('two'))
  fault.ended()
  fault.ended()
  fault.occurred(new Error('three'))
  t.strictSame(lines.map(summarise), [
    [50, 'the formatter failed', undefined, undefined, 'one'],
    [20, 'the formatter failed', undefined, undefined, 'two'],
    [50, 'the formatter works again', undefined, 2, undefined],
    [50, 'the formatter failed', undefined, undefined, 'three']
  ])
})

test('a callback that clients make fail gets at most one error line in ten seconds', async (t) => {
  const { lines, logger } = createLog()
  const time = createFakeTime({ wallMs: 0 })
  const log = pino({ level: 'debug' }, logger.stream)
  const fault = createCallbackFault(log, 'onMessage', time.timers)
  for (const id of ['a', 'b', 'c']) {
    fault.occurred(new Error(id), { id })
    fault.ended()
  }
  time.advance(10_000)
  fault.occurred(new Error('d'), { id: 'd' })
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
    const fault = createFakeFault()
    const result = attempt(fault, call)
    t.equal(result instanceof Promise, isAsync)
    t.equal(await result, worked)
    t.strictSame(fault.told, [worked ? 'worked' : error])
  })
}

test('a callback that never settles tells nothing', async (t) => {
  const fault = createFakeFault()
  attempt(fault, () => new Promise(() => {}))
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(fault.told, [])
})

function summarise ({ level, msg, id, failures, err }: LogLine): unknown[] {
  return [level, msg, id, failures, (err as Error | undefined)?.message]
}
