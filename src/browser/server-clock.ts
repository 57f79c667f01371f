import { assertRuntime, resolveUrl } from './clock-errors.js'
import { ClockEventTarget } from './clock-events.js'
import type { Emit } from './clock-events.js'
import { resolveOptions } from './clock-options.js'
import type {
  AtOptions, ClockSettings, EveryOptions, ReadyOptions, ServerClockOptions, ServerClockUrl,
  Transport
} from './clock-options.js'
import { createConnection } from './connection/connection.js'
import type { ClockState, Connection } from './connection/connection.js'
import { encodeMessage } from './connection/transport.js'
import { createTimer } from './environment.js'
import type { Timer } from './environment.js'
import { createIncoming } from './incoming.js'
import { createPageListener } from './page-events.js'
import type { ListenToPage } from './page-events.js'
import { createReadiness } from './readiness.js'
import type { Readiness } from './readiness.js'
import { createDeviceClock, createQuantum } from './time/device-clock.js'
import type { DeviceClock } from './time/device-clock.js'
import { createDisplayedClock } from './time/displayed-clock.js'
import type { DisplayedClock } from './time/displayed-clock.js'
import { createEstimates } from './time/estimates.js'
import type { Estimates } from './time/estimates.js'
import { createTimetable } from './time/timetable.js'
import type { Cancel, Timetable } from './time/timetable.js'

/** Between two checks. A server that has not answered so long after a sleep is unreachable. */
const CHECK_MS = 1000

/**
 * Shows the time of a server with a time socket, with a bound on the error. Connects at once, and
 * reconnects whenever necessary, until `close()`. `Incoming` is the type of the messages that the
 * server sends. `ClockEvents` lists the events.
 */
export class ServerClock<Incoming = unknown> extends ClockEventTarget<Incoming> {
  /**
   * The URL of a clock that is created without one: `/time`. In the client that the plugin serves,
   * it is the URL of the time socket that served the client.
   */
  static defaultUrl = '/time'

  readonly #url: ServerClockUrl
  readonly #settings: ClockSettings
  readonly #estimates: Estimates
  readonly #device: DeviceClock
  readonly #display: DisplayedClock
  readonly #timetable: Timetable
  readonly #connection: Connection
  readonly #listenToPage: ListenToPage
  readonly #checkTimer: Timer
  readonly #readiness: Readiness
  #rtt: number | undefined

  /** @throws TypeError or RangeError for a wrong option; ServerClockError (see its codes). */
  constructor (url: ServerClockUrl = new.target.defaultUrl, options: ServerClockOptions = {}) {
    super()
    const settings = resolveOptions(options)
    const { environment, sync } = settings
    assertRuntime(settings)
    const quantum = createQuantum()
    this.#url = url
    this.#settings = settings
    this.#checkTimer = createTimer(environment)
    this.#estimates = createEstimates(quantum, sync.skew)
    this.#display = createDisplayedClock({
      ...settings, estimates: this.#estimates, onStep: (by) => this.#emitUnlessClosed('step', { by })
    })
    this.#device = createDeviceClock(environment, quantum.ms)
    this.#timetable = createTimetable(environment, this.#display)
    this.#connection = createConnection({
      settings,
      resolveUrl: async () => resolveUrl(typeof url === 'function' ? await url() : url, environment),
      quantumMs: quantum.ms,
      data: createIncoming({
        estimates: this.#estimates,
        display: this.#display,
        timetable: this.#timetable,
        emit: this.#emitUnlessClosed,
        onActivity: () => this.#detectClockJump(),
        onRtt: (rttMs) => { this.#rtt = rttMs },
        onEstimate: () => this.#runDue()
      }),
      onOpen: () => this.#emit('open', null),
      onClose: (detail) => {
        this.#emit('close', detail)
        this.#runDue()
      },
      onRefused: (detail) => this.#emitUnlessClosed('refused', detail)
    })
    this.#listenToPage = createPageListener(environment.page, this.#connection)
    this.#readiness = createReadiness(this.#display.error, () => this.state)
    if (settings.autoOpen) this.open()
  }

  /**
   * The server's time in milliseconds since the Unix epoch; before the first sync, the device's
   * time. Never runs backwards except in a `step`.
   */
  now (): number {
    this.#detectClockJump()
    return this.#display.now()
  }

  /** By how many milliseconds `now()` may be wrong at most; Infinity while that is not known. */
  get error (): number {
    this.#detectClockJump()
    return this.#display.error()
  }

  /** True if `error` is known. */
  get synced (): boolean {
    return this.error < Infinity
  }

  /** Milliseconds by which `now()` is ahead of the device's clock; negative: behind. */
  get offset (): number {
    return this.now() - this.#settings.environment.wall()
  }

  /** How much faster the server's clock runs than the device's: 0.00001 is 10 µs a second. */
  get skew (): number {
    return this.#estimates.at(this.#settings.environment.monotonic()).skew
  }

  /** Round trip of the latest exchange in milliseconds; undefined before the first. */
  get rtt (): number | undefined {
    return this.#rtt
  }

  /** Whether the clock is connected, and if not, why: see `ClockState`. */
  get state (): ClockState {
    return this.#connection.state
  }

  /** The transport in use; undefined while the clock is not connected. */
  get transport (): Transport | undefined {
    return this.#connection.transport?.name
  }

  /** The subprotocol that the server has agreed to; empty over HTTP and without a connection. */
  get protocol (): string {
    return this.#connection.transport?.protocol ?? ''
  }

  /**
   * Resolves once `error` is small enough. Rejects with a ServerClockError if `state` is `closed`
   * (code `CLOSED`) or `refused` (`REFUSED`), with the signal's reason if the signal is aborted, or
   * with a TypeError or RangeError if the option `error` is wrong.
   */
  ready (options: ReadyOptions = {}): Promise<void> {
    // Forgets the estimate if the device has just woken up.
    this.#detectClockJump()
    return this.#readiness.wait(options)
  }

  /**
   * Calls back once, when the server's clock reaches this time; soon, if the time has passed. Waits
   * while `error` is Infinity.
   *
   * @throws RangeError for an invalid time.
   */
  at (serverTime: number | Date, callback: () => void, { signal }: AtOptions = {}): Cancel {
    return this.#timetable.at(Number(serverTime), callback, signal)
  }

  /**
   * Calls back when `now()` reaches a whole multiple of `ms`; once, if several were missed. Sends
   * no messages.
   *
   * @throws RangeError unless `ms` is a positive number.
   */
  every (ms: number, callback: () => void, { signal, immediate }: EveryOptions = {}): Cancel {
    return this.#timetable.every(ms, callback, signal, immediate)
  }

  /** What `performance.now()`, or `environment.monotonic()`, shows when `now()` is `serverTime`. */
  toMonotonic (serverTime: number | Date): number {
    return this.#display.toMonotonic(Number(serverTime))
  }

  /**
   * Sends a string, bytes or a JSON value.
   *
   * @returns false without a WebSocket connection: the data is then dropped.
   * @throws TypeError if the value has no JSON text, such as `undefined`.
   */
  send (data: unknown): boolean {
    const message = encodeMessage(data)
    return this.#connection.transport?.send(message) ?? false
  }

  /** Ends the connection and stops all callbacks until `open()`. */
  close (): void {
    this.#checkTimer()
    this.#timetable.stop()
    this.#listenToPage('removeEventListener')
    this.#connection.close()
  }

  /**
   * Connects. Has no effect while connecting or open. The estimate of the server's clock is kept.
   *
   * @throws ServerClockError (`INVALID_URL`) for a URL that cannot be resolved.
   */
  open (): void {
    if (typeof this.#url !== 'function') resolveUrl(this.#url, this.#settings.environment)
    if (this.state === 'closed') {
      this.#timetable.start()
      this.#listenToPage('addEventListener')
      this.#check()
    }
    this.#connection.open()
  }

  readonly #emit: Emit = (name, detail) => { this.dispatchEvent(new CustomEvent(name, { detail })) }

  /** Fires an event, unless a listener has closed the clock. */
  readonly #emitUnlessClosed: Emit = (name, detail) => {
    if (this.state !== 'closed') this.#emit(name, detail)
  }

  /** Runs the callbacks that are due, and checks the promises of `ready()`. */
  #runDue (): void {
    this.#timetable.run()
    this.#readiness.checkWaiting()
  }

  #detectClockJump (): void {
    const { movedMs, hasMoved } = this.#device.read()
    if (!hasMoved) return
    if (movedMs > 0) {
      const wasKnown = this.#display.error() < Infinity
      this.#display.onMoved(movedMs)
      if (!wasKnown || this.state !== 'open') this.#display.addSleep(0)
    }
    if (this.state !== 'closed') this.#connection.resync(movedMs > 0)
  }

  #check (): void {
    this.#checkTimer(() => {
      this.#check()
      this.#detectClockJump()
      this.#display.addSleep(CHECK_MS)
      this.#connection.check()
      this.#runDue()
    }, CHECK_MS)
  }
}
