import type { Emit } from './clock-events.js'
import { createScheduledMessages } from './connection/scheduled-messages.js'
import type { TransportData } from './connection/transport.js'
import type { DisplayedClock } from './time/displayed-clock.js'
import type { Estimates } from './time/estimates.js'
import type { Timetable } from './time/timetable.js'

export interface IncomingOptions {
  estimates: Estimates
  display: DisplayedClock
  timetable: Timetable
  /** Fires an event, unless the clock has been closed. */
  emit: Emit
  /** Called first for everything that arrives. */
  onActivity: () => void
  /** Called with the round trip of each exchange, in milliseconds. */
  onRtt: (rttMs: number) => void
  /** Called when the estimate may have changed, after the event has been fired. */
  onEstimate: () => void
}

/** Turns the messages of a server into estimates, events and scheduled messages. */
export function createIncoming (options: IncomingOptions): TransportData {
  const { estimates, display, timetable, emit, onActivity, onRtt, onEstimate } = options
  const emitMessage = (data: unknown): void => emit('message', data)
  const scheduled = createScheduledMessages(timetable, display, emitMessage)

  /** @returns what the action returns: true if the new data contradicts the estimate. */
  function updateEstimate (action: () => boolean): boolean {
    let isContradiction = false
    display.update(() => { isContradiction = action() })
    return isContradiction
  }

  return {
    onActivity,
    onHello (source) {
      scheduled.onHello()
      display.update(() => { estimates.estimatorFor(source, true) })
    },
    onTick (source, tick, localMs) {
      const isContradiction = updateEstimate(() =>
        estimates.estimatorFor(source, true).onTick(tick.sent, localMs))
      emit('tick', tick)
      onEstimate()
      return isContradiction
    },
    onExchange (source, exchange, name) {
      const { t1, t2, t3, t4 } = exchange
      onRtt(Math.max(0, t4 - t1 - (t3 - t2)))
      const isContradiction = updateEstimate(() =>
        estimates.estimatorFor(source, name === 'websocket').onExchange(exchange))
      emit('sync', null)
      onEstimate()
      return isContradiction
    },
    onMessage: scheduled.add,
    onCancel: scheduled.cancel,
    onBytes: emitMessage
  }
}
