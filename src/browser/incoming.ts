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
  tell: Emit
  onActivity: () => void
  /** An exchange has taken so long there and back. */
  onRtt: (rttMs: number) => void
  /** The estimate has changed, and listeners know. */
  onLearned: () => void
}

/** What a clock does with what a server sends: estimates, events, and scheduled messages. */
export function createIncoming (options: IncomingOptions): TransportData {
  const { estimates, display, timetable, tell, onActivity, onRtt, onLearned } = options
  const tellMessage = (data: unknown): void => tell('message', data)
  const scheduled = createScheduledMessages(timetable, display, tellMessage)

  /** @returns what the action returns: whether it contradicts what was known. */
  function learn (action: () => boolean): boolean {
    let isContradiction = false
    display.update(() => { isContradiction = action() })
    return isContradiction
  }

  return {
    onActivity,
    onHello (source) {
      scheduled.onHello()
      display.update(() => { estimates.of(source, true) })
    },
    onTick (source, tick, localMs) {
      const isContradiction = learn(() => estimates.of(source, true).onTick(tick.sent, localMs))
      tell('tick', tick)
      onLearned()
      return isContradiction
    },
    onExchange (source, exchange, name) {
      const { t1, t2, t3, t4 } = exchange
      onRtt(Math.max(0, t4 - t1 - (t3 - t2)))
      const isContradiction = learn(() =>
        estimates.of(source, name === 'websocket').onExchange(exchange))
      tell('sync', null)
      onLearned()
      return isContradiction
    },
    onMessage: scheduled.add,
    onCancel: scheduled.cancel,
    onBytes: tellMessage
  }
}
