import { pino } from 'pino'
import { test } from 'tap'
import { safely } from '../../../src/observability/log.js'
import { createTimeApp } from '../../helpers/network/app.js'
import { createLog } from '../../helpers/fakes/log.js'
import { inject } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

/** pino marks what it serialises, which this one forbids. */
const FROZEN = Object.freeze(new Error('frozen'))

test('writes loggable fields unchanged', async (t) => {
  const { lines, logger } = createLog()
  const log = safely(pino({ level: 'debug' }, logger.stream))
  for (const level of ['debug', 'info', 'error'] as const) log[level]({ level: undefined, a: 1 }, level)
  t.strictSame(lines.map(({ level, a, msg }) => [level, a, msg]),
    [[20, 1, 'debug'], [30, 1, 'info'], [50, 1, 'error']])
})

test('writes a line without its fields if they cannot be logged', async (t) => {
  const { lines, logger } = createLog()
  safely(pino(logger.stream)).error({ err: FROZEN }, 'the formatter failed')
  t.strictSame(lines.map(({ msg }) => msg), ['the formatter failed (its fields cannot be logged)'])
})

test('a log that always throws has no effect on callers', async (t) => {
  const fail = () => { throw new Error('disk full') }
  t.doesNotThrow(() => safely({ debug: fail, info: fail, warn: fail, error: fail }).error({}, 'x'))
})

for (const name of ['onConnect', 'onMessage', 'onClose', 'onTick', 'format'] as const) {
  test(`an error that cannot be logged, thrown by ${name}, has no effect on other clients`, async (t) => {
    let isFailing = false
    const { app, log, timeSocket } = await createTimeApp(t, {
      interval: 50,
      immediate: false,
      [name] () {
        if (isFailing) throw FROZEN
        return 'fine'
      }
    })
    const other = await inject(app)
    isFailing = true
    const peer = await inject(app)
    peer.ws.send('x')
    if (name === 'onClose') peer.ws.close()
    await waitFor(() => log.messages('error').length > 0, 'the line')
    t.match(log.messages('error')[0], /failed \(its fields cannot be logged\)$/)
    timeSocket.broadcast('still here')
    await waitFor(() => other.messages.includes('still here'), 'the message')
  })
}

test('a serializer that throws has no effect on clients', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    logSerializers: { id () { throw new Error('no') } }
  })
  const peer = await inject(app)
  await peer.received(1)
  peer.ws.close()
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
})
