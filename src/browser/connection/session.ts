import type { Estimator } from '../time/estimator.js'
import type { Emit, TickDetail } from '../clock-events.js'
import { isTime, readMessage, readTime } from './read-message.js'
import type { Received } from './read-message.js'
import type { Probes } from './probe-schedule.js'
import type { Scheduled } from './scheduled-messages.js'
import type { Slew } from '../time/displayed-clock.js'

/** What the server says, and what becomes of it. */
export interface Session {
  /** Milliseconds between two ticks; NaN where it has not said. */
  readonly intervalMs: number
  /** Milliseconds that the latest exchange took there and back. */
  readonly rtt: number | undefined
  /** Whether the server speaks `time.v1`; undefined until its first message shows. */
  readonly speaks: boolean | undefined
  /** @param agreed whether the new connection's subprotocol is `time.v1`. */
  begin (agreed: boolean): void
  /** @param localMs when it came, on the monotonic clock. */
  receive (text: string, localMs: number): void
}

export interface SessionOptions {
  estimator: Estimator
  slew: Slew
  probes: Probes
  scheduled: Scheduled
  /** When the requests were sent that are unanswered, by their ids. */
  sentAt: Map<unknown, number>
  emit: Emit
  onHello: () => void
}

export function createSession (
  { estimator, slew, probes, scheduled, sentAt, emit, onHello }: SessionOptions
): Session {
  let server: unknown
  let clockSteps: unknown
  let intervalMs = NaN
  let rtt: number | undefined
  let speaks: boolean | undefined

  /** Of another server, or once its clock has stepped, nothing is known any more. */
  function renew (message: Received): void {
    const { server: newServer = server } = message
    if (message.clockSteps !== clockSteps || newServer !== server) {
      clockSteps = message.clockSteps
      server = newServer
      slew.forget()
      probes.burst()
    }
    if (isTime(message.interval)) intervalMs = message.interval
  }

  function learn (contradicts: () => boolean): void {
    slew.change(() => { if (contradicts()) probes.burst() })
  }

  function hearPlain ({ type, sent }: Received, text: string, localMs: number): void {
    // It has only echoed the subprotocol.
    if (speaks === undefined) slew.forget()
    speaks = false
    const toldMs = type === 'tick' && isTime(sent) ? sent : readTime(text)
    if (Number.isNaN(toldMs)) emit('message', text)
    else {
      slew.follow(toldMs - localMs)
      emit('tick', { sent: toldMs })
    }
  }

  function hearTick (message: Received, localMs: number): void {
    const { sent } = message
    if (!isTime(sent)) return
    renew(message)
    learn(() => estimator.heard(sent, localMs))
    emit('tick', message as TickDetail)
  }

  function hearSync (message: Received, localMs: number): void {
    const { id, at, hold } = message
    const t1 = sentAt.get(id)
    if (t1 === undefined || !isTime(at) || !isTime(hold)) return
    sentAt.delete(id)
    renew(message)
    rtt = localMs - t1 - hold
    learn(() => estimator.exchanged({ t1, t2: at, t3: at + hold, t4: localMs }))
    emit('sync', null)
  }

  return {
    get intervalMs () {
      return intervalMs
    },
    get rtt () {
      return rtt
    },
    get speaks () {
      return speaks
    },
    begin (agreed) {
      intervalMs = NaN
      speaks = agreed ? undefined : false
      if (!agreed) slew.forget()
    },
    receive (text, localMs) {
      const message = readMessage(text)
      const { type } = message
      if (type === 'hello') {
        speaks = true
        scheduled.rejoin()
        renew(message)
        probes.burst()
        onHello()
      } else if (!speaks) hearPlain(message, text, localMs)
      else if (type === 'tick') hearTick(message, localMs)
      else if (type === 'sync') hearSync(message, localMs)
      else if (type === 'message') scheduled.add(message, text)
      else if (type === 'cancel') scheduled.cancel(message.key)
    }
  }
}
