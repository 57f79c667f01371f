import { pino } from 'pino'
import { test } from 'tap'
import { createCallbackFault, createFault } from '../../../src/observability/failure-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { createLog } from '../../helpers/fakes/log.js'
import type { LogLine } from '../../helpers/fakes/log.js'

test('logs when it begins, when it ends with the count, and between at debug', async (t) => {
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

test('a callback that clients make fail gets an error line every ten seconds', async (t) => {
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

function summarise ({ level, msg, id, failures, err }: LogLine): unknown[] {
  return [level, msg, id, failures, (err as Error | undefined)?.message]
}
