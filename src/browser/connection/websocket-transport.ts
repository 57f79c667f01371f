import { TIME_PROTOCOL } from '../../protocol/time-v1.js'
import type { TickMessage } from '../../protocol/time-v1.js'
import type { ClockSettings } from '../clock-options.js'
import { createTimer } from '../environment.js'
import type { Budget, Environment, Socket } from '../environment.js'
import type { Source } from '../time/estimates.js'
import { createProbeSchedule } from './probe-schedule.js'
import { createRefusal, isTime, NOT_A_TIME_SOCKET, readJson } from './received.js'
import type { Received } from './received.js'
import { ABNORMAL, NORMAL } from './transport.js'
import type { Ending, Transport, TransportEvents } from './transport.js'
import { createWatchdog } from './watchdog.js'

export interface WebSocketOptions {
  settings: ClockSettings
  WebSocket: NonNullable<Environment['WebSocket']>
  /** `http` or `https`. */
  url: string
  budget: Budget
  /** For how many checks, one a second, an answer may be late while the connection is young. */
  patience: number
  events: TransportEvents
}

const OPEN = 1
/** Ids of probes are less than this. */
const ID_LIMIT = 2 ** 31
/** An answer is ignored once this many further probes have been sent. */
const MAX_UNANSWERED = 64
/** This many of the probes per minute are reserved for bursts and the watchdog. */
const RESERVED_PROBES = 4
/** How long `close` may take to follow `error`. */
const CLOSE_GRACE_MS = 50
const FAILED = 'the connection failed, or is forbidden here (CSP, blocked port)'

/** Connects over a WebSocket. The transport is open once the server has said hello. */
export function openWebSocket (options: WebSocketOptions): Transport {
  const { settings: { environment, protocols, sync }, url, budget, patience, events } = options
  const { monotonic } = environment
  const graceTimer = createTimer(environment)
  const probes = createProbeSchedule({ environment, sync, probe })
  const watchdog = createWatchdog({
    probe: () => probe(true),
    drop: () => end(ABNORMAL, 'the server has been silent for too long', { wasSilent: true }),
    patience
  })
  const sentAt = new Map<unknown, number>()
  let id = Math.floor(environment.random() * ID_LIMIT)
  let isEnded = false
  /** Undefined until the server has said hello. */
  let source: Source | undefined
  let intervalMs = NaN
  let socket: Socket | undefined

  function stop (): void {
    isEnded = true
    probes.stop()
    graceTimer()
    socket?.close(NORMAL)
  }

  function end (code: number, reason: string, more: Partial<Ending> = {}): void {
    if (isEnded) return
    stop()
    events.onEnd({ code, reason, wasOpen: source !== undefined, ...more })
  }

  function bufferedBytes (): number {
    return socket?.bufferedAmount ?? 0
  }

  function probe (isUrgent: boolean): boolean {
    const isPossible = source !== undefined && bufferedBytes() === 0
    if (!isPossible || !budget(isUrgent ? 0 : RESERVED_PROBES)) return false
    id = (id + 1) % ID_LIMIT
    sentAt.delete(id - MAX_UNANSWERED)
    sentAt.set(id, monotonic())
    socket?.send(`{"type":"sync","id":${id}}`)
    watchdog.onProbed()
    return true
  }

  /**
   * Updates source and interval, and starts a burst if the clock of the server has stepped.
   *
   * @returns the new source.
   */
  function renew ({ server, clockSteps, interval }: Received, from = source?.server): Source {
    const next = { server: server ?? from, clockSteps }
    const hasStepped = clockSteps !== source?.clockSteps
    source = next
    if (isTime(interval)) intervalMs = interval
    if (hasStepped) probes.burst()
    return next
  }

  function onHello (message: Received): void {
    const { server, interval, clockSteps } = message
    if (typeof server !== 'string' || ![interval, clockSteps].every(isTime)) return
    const isFirst = source === undefined
    events.onHello(renew(message))
    if (isFirst && !isEnded) events.onOpen()
    if (!isEnded) probes.burst()
  }

  function onTick (message: Received, localMs: number): void {
    const { seq, at, sent, interval, clockSteps } = message
    if (![seq, at, sent, interval, clockSteps].every(isTime)) return
    const isContradiction = events.onTick(renew(message), message as TickMessage, localMs)
    if (isContradiction && !isEnded) probes.burst()
  }

  function onSync (message: Received, t4: number): void {
    const { at, hold } = message
    const t1 = sentAt.get(message.id)
    if (t1 === undefined || !isTime(at) || !isTime(hold) || !isTime(message.clockSteps)) return
    sentAt.delete(message.id)
    const exchange = { t1, t2: at, t3: at + hold, t4 }
    const isContradiction = events.onExchange(renew(message), exchange, 'websocket')
    if (isContradiction && !isEnded) probes.burst()
  }

  function onText (text: string, localMs: number): void {
    const message = readJson(text)
    const { type } = message
    if (type === 'hello') onHello(message)
    if (source === undefined) return
    if (type === 'tick') onTick(message, localMs)
    else if (type === 'sync') onSync(message, localMs)
    else if (type === 'message' && message.data !== undefined) events.onMessage(message, text)
    else if (type === 'cancel') events.onCancel(message.key)
  }

  function listen (to: Socket): void {
    to.binaryType = 'arraybuffer'
    to.onopen = () => {
      if (to.protocol === TIME_PROTOCOL || isEnded) return
      const reason = 'the server did not accept the subprotocol time.v1'
      end(ABNORMAL, reason, { outcome: createRefusal(101, NOT_A_TIME_SOCKET, reason) })
    }
    to.onmessage = ({ data }: MessageEvent) => {
      const localMs = monotonic()
      if (isEnded) return
      events.onActivity()
      // A listener may have closed the clock.
      if (isEnded) return
      if (typeof data === 'string') onText(data, localMs)
      else if (source) events.onBytes(data)
      // A message before hello does not show that the server is a time socket.
      if (source) watchdog.onReceived()
    }
    to.onclose = ({ code, reason }: CloseEvent) => end(code, reason)
    // `close` follows, but not in every runtime. In `ws`, an error without a listener ends the
    // process.
    to.onerror = () => { if (!isEnded) graceTimer(() => end(ABNORMAL, FAILED), CLOSE_GRACE_MS) }
  }

  try {
    socket = new options.WebSocket(url.replace('http', 'ws'), [TIME_PROTOCOL, ...protocols])
    listen(socket)
  } catch {
    graceTimer(() => end(ABNORMAL, FAILED))
  }

  return {
    name: 'websocket',
    get protocol () {
      return socket?.protocol ?? ''
    },
    send (data) {
      const isOpen = source !== undefined && socket?.readyState === OPEN
      if (isOpen) socket?.send(data)
      return isOpen
    },
    resync: probes.burst,
    check: () => watchdog.check({ intervalMs, bufferedBytes: bufferedBytes() }),
    close: stop
  }
}
