import { assertRuntime, resolveUrl } from './clock-errors.js'
import { ClockEventTarget } from './clock-events.js'
import type { Emit } from './clock-events.js'
import { resolveOptions } from './clock-options.js'
import type {
  AtOptions, ClockSettings, EveryOptions, ReadyOptions, ServerClockOptions, ServerClockUrl,
  Transport
} from './clock-options.js'
import { createConnection } from './connection/connection.js'
import type { Connection } from './connection/connection.js'
import type { ClockState } from './connection/connection.js'
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

const CHECK_MS = 1000
/** A server that is asked on waking answers within this time, or is not there. */
const ANSWER_MS = 1000

/**
 * The clock of a server with a time socket, and by how much it may be wrong. It connects at once,
 * and again whenever it has to, until `close()`. `Incoming` is the type of its messages; the events
 * are those of `ClockEvents`.
 */
export class ServerClock<Incoming = unknown> extends ClockEventTarget<Incoming> {
  /**
   * The URL of a clock that is given none: `/time`, and in the client that the plugin serves the
   * URL of the time socket that has served it.
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

  /**
   * @param url of the time socket; a function is called for each connection. Default `defaultUrl`.
   * @throws TypeError or RangeError for a wrong option, ServerClockError for a URL that cannot be
   * resolved (`INVALID_URL`) and without what `transport` needs (`NO_WEBSOCKET`).
   */
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
      ...settings, estimates: this.#estimates, onStep: (by) => this.#tell('step', { by })
    })
    this.#device = createDeviceClock(environment, quantum.ms)
    this.#timetable = createTimetable(environment, this.#display)
    this.#connection = createConnection({
      settings,
      resolveUrl: async () => resolveUrl(typeof url === 'function' ? await url() : url, environment),
      grainMs: quantum.ms,
      data: createIncoming({
        estimates: this.#estimates,
        display: this.#display,
        timetable: this.#timetable,
        tell: this.#tell,
        onActivity: () => this.#readClocks(),
        onRtt: (rttMs) => { this.#rtt = rttMs },
        onLearned: () => this.#settle()
      }),
      onOpen: () => this.#emit('open', null),
      onClose: (detail) => {
        this.#emit('close', detail)
        this.#settle()
      },
      onRefused: (detail) => this.#tell('refused', detail)
    })
    this.#listenToPage = createPageListener(environment.page, this.#connection)
    this.#readiness = createReadiness(this.#display.error, () => this.state)
    if (settings.autoOpen) this.open()
  }

  /**
   * The server's time, milliseconds since the Unix epoch; before the first sync the device's. It
   * never runs backwards except in a `step`.
   */
  now (): number {
    this.#readClocks()
    return this.#display.now()
  }

  /** By how many milliseconds `now()` may be wrong at most; Infinity while that is not known. */
  get error (): number {
    this.#readClocks()
    return this.#display.error()
  }

  /** Whether `error` is known. */
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

  /** Milliseconds that the latest exchange took there and back; undefined before the first. */
  get rtt (): number | undefined {
    return this.#rtt
  }

  get state (): ClockState {
    return this.#connection.state
  }

  /** What keeps the clock in step; undefined while it is not connected. */
  get transport (): Transport | undefined {
    return this.#connection.transport?.name
  }

  /** The subprotocol that the server has agreed to; empty over HTTP and without a connection. */
  get protocol (): string {
    return this.#connection.transport?.protocol ?? ''
  }

  /**
   * Resolves once `error` is small enough. Rejects with a ServerClockError when `state` is `closed`
   * (`CLOSED`) or `refused` (`REFUSED`), and with the signal's reason.
   */
  ready (options: ReadyOptions = {}): Promise<void> {
    return this.#readiness.wait(options)
  }

  /**
   * Calls back once, when the server's clock gets there, or soon if it has. Waits while `error` is
   * Infinity.
   *
   * @throws RangeError for an invalid time.
   */
  at (serverTime: number | Date, callback: () => void, { signal }: AtOptions = {}): Cancel {
    return this.#timetable.at(Number(serverTime), callback, signal)
  }

  /**
   * Calls back when `now()` shows a whole multiple of `ms`, once for all that were missed. No
   * message is exchanged for it.
   *
   * @throws RangeError unless `ms` is a positive number.
   */
  every (ms: number, callback: () => void, { signal, immediate }: EveryOptions = {}): Cancel {
    return this.#timetable.every(ms, callback, signal, immediate)
  }

  /** When `now()` shows this time, or has shown it, on the line of `performance.now()`. */
  toMonotonic (serverTime: number | Date): number {
    return this.#display.toMonotonic(Number(serverTime))
  }

  /**
   * Sends a string, bytes or a JSON value. @returns false without a WebSocket connection: the data
   * is not kept.
   */
  send (data: unknown): boolean {
    const { transport } = this.#connection
    const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data)
    const sent = isBytes ? data as ArrayBuffer : JSON.stringify({ type: 'message', data })
    return transport !== undefined && transport.send(sent)
  }

  /** Ends the connection and calls nothing back any more, until `open()`. */
  close (): void {
    this.#checkTimer()
    this.#timetable.stop()
    this.#listenToPage('removeEventListener')
    this.#connection.close()
  }

  /**
   * Connects, unless it is connecting or open; what is known of the server's clock is kept.
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

  /** Keeps back what was about to be told when a listener has closed the clock. */
  readonly #tell: Emit = (name, detail) => {
    if (this.state !== 'closed') this.#emit(name, detail)
  }

  /** Calls back what is due, and settles what waits for `ready()`. */
  #settle (): void {
    this.#timetable.run()
    this.#readiness.settle()
  }

  #readClocks (): void {
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
      this.#readClocks()
      this.#display.addSleep(ANSWER_MS)
      this.#connection.check()
      this.#settle()
    }, CHECK_MS)
  }
}
