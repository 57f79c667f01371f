import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import { createConnection } from './connection/connection.js'
import { createEnvironment } from './environment.js'
import { createEstimator } from './time/estimator.js'
import type { Emit } from './clock-events.js'
import type { ClockMembers } from './clock-members.js'
import type { ServerClockOptions, ServerClockUrl } from './clock-options.js'
import { createProbes } from './connection/probe-schedule.js'
import { createReadiness } from './readiness.js'
import { createScheduled } from './connection/scheduled-messages.js'
import { createSession } from './connection/session.js'
import { createSlew } from './time/displayed-clock.js'
import { createTimer } from './time/single-timer.js'
import { createTimetable } from './time/timetable.js'
import { createWatchdog } from './connection/watchdog.js'

const LOOK_MS = 1000
/** So far the device's clock may move against the monotonic one unnoticed. */
const MOVED_MS = 50
/** Ids of requests are below it. */
const ID_LIMIT = 2 ** 31
/** An answer that comes after so many further requests is none. */
const MAX_UNANSWERED = 64
const PAGE_EVENTS = ['visibilitychange', 'pageshow', 'online']

/** Puts the parts of a clock together. */
export function createClock (
  url: ServerClockUrl, options: ServerClockOptions, emit: Emit
): ClockMembers {
  const { protocols = [], slew: rate = 0.05, stepThreshold = 250, sync = {} } = options
  const environment = createEnvironment(options.environment)
  const { monotonic, wall, page } = environment
  const estimator = createEstimator()
  const slew = createSlew({
    environment, estimator, rate, stepThreshold, onStep: (by) => emit('step', { by })
  })
  const timetable = createTimetable(environment, slew)
  const scheduled = createScheduled(timetable, slew, (data) => tell('message', data))
  const sentAt = new Map<unknown, number>()
  const probes = createProbes(environment, sync, ask)
  const watchdog = createWatchdog(ask, () => connection.lose(1006, 'silent'))
  const lookTimer = createTimer(environment)
  let id = Math.floor(environment.random() * ID_LIMIT)
  let differenceMs = NaN

  const session = createSession({
    estimator, slew, probes, scheduled, sentAt, emit: tell, onHello: () => connection.confirm()
  })
  const readiness = createReadiness(slew.error, () => {
    const { state } = connection
    return state === 'closed' || state === 'refused' ? state : session.speaks === false && 'plain'
  })
  const connection = createConnection({
    environment,
    url: async () => typeof url === 'function' ? url() : url,
    protocols,
    onConnect: watchdog.begin,
    onOpen () {
      session.begin(connection.socket?.protocol === TIME_PROTOCOL)
      emit('open', null)
      readiness.check()
    },
    onMessage (data, localMs) {
      look()
      // Who listens to a step may have closed it.
      if (connection.state === 'closed') return
      watchdog.heard()
      if (typeof data === 'string') session.receive(data, localMs)
      else tell('message', data)
      timetable.run()
      readiness.check()
    },
    onClose (detail) {
      probes.stop()
      sentAt.clear()
      emit('close', detail)
      readiness.check()
    },
    onRefused: (status) => tell('refused', { status })
  })

  /** Not what was about to be told when a listener has closed the clock. */
  function tell (...event: Parameters<Emit>): void {
    if (connection.state !== 'closed') emit(...event)
  }

  function ask (): void {
    watchdog.asked()
    id = (id + 1) % ID_LIMIT
    sentAt.delete(id - MAX_UNANSWERED)
    if (connection.socket?.bufferedAmount !== 0) return
    sentAt.set(id, monotonic())
    connection.send(`{"type":"sync","id":${id}}`)
  }

  function look (): void {
    const movedMs = -differenceMs + (differenceMs = wall() - monotonic())
    if (movedMs > MOVED_MS) slew.moved(movedMs)
    if (Math.abs(movedMs) > MOVED_MS) resync()
  }

  function beat (): void {
    lookTimer(beat, LOOK_MS)
    look()
    if (['connecting', 'open'].includes(connection.state)) watchdog.look(session.intervalMs)
    timetable.run()
    readiness.check()
  }

  function resync (): void {
    if (page.document?.hidden) return
    connection.hurry()
    if (connection.state === 'open' && session.speaks) probes.burst()
  }

  return {
    now () {
      look()
      return slew.now()
    },
    get error () {
      look()
      return slew.error()
    },
    get synced () {
      return this.error < Infinity
    },
    get offset () {
      return this.now() - wall()
    },
    get skew () {
      return estimator.at(monotonic()).skew
    },
    get rtt () {
      return session.rtt
    },
    get state () {
      return connection.state
    },
    get protocol () {
      return connection.socket?.protocol ?? ''
    },
    ready: readiness.wait,
    at: (serverTime, callback) => timetable.at(Number(serverTime), callback),
    every: timetable.every,
    toMonotonic: (serverTime) => slew.toMonotonic(Number(serverTime)),
    send (data) {
      const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data)
      if (isBytes) return connection.send(data as ArrayBuffer)
      const message = session.speaks === false ? data : { type: 'message', data }
      return connection.send(typeof message === 'string' ? message : JSON.stringify(message))
    },
    close () {
      lookTimer()
      timetable.stop()
      for (const event of PAGE_EVENTS) page.removeEventListener?.(event, resync)
      connection.close()
    },
    open () {
      timetable.start()
      beat()
      for (const event of PAGE_EVENTS) page.addEventListener?.(event, resync)
      connection.open()
    }
  }
}
