import type { ClockSettings } from '../clock-options.js'
import { createTimer } from '../environment.js'
import type { RefusalOutcome, TimeOutcome, UnreachableOutcome } from './received.js'
import type { TimeRequests } from './time-request.js'
import { ABNORMAL } from './transport.js'
import type { Transport, TransportEvents } from './transport.js'

export interface HttpOptions {
  settings: ClockSettings
  requests: Pick<TimeRequests, 'beginRound' | 'budget'>
  /** An answer that has already arrived, the first of the first round. */
  first?: TimeOutcome | undefined
  events: TransportEvents
}

/** The number of requests in the first round, and in a round that `resync` starts. */
const FIRST_ROUND = 3
const GAP_MS = 100

type Failure = RefusalOutcome | UnreachableOutcome

/**
 * Syncs over plain requests, one at a time. The transport is open once the server has answered with
 * its time.
 */
export function openHttp (options: HttpOptions): Transport {
  const { settings: { environment, sync }, requests, first, events } = options
  const timer = createTimer(environment)
  const life = new AbortController()
  let isBusy = false
  let isOpen = false

  function stop (): void {
    life.abort()
    timer()
  }

  function onTime ({ source, exchange }: TimeOutcome): void {
    events.onActivity()
    if (!isOpen) {
      isOpen = true
      if (!life.signal.aborted) events.onOpen()
    }
    if (!life.signal.aborted) events.onExchange(source, exchange, 'http')
  }

  /**
   * Sends up to `count` requests, one after the other.
   *
   * @returns the latest failure if the server has answered no request with its time; else
   * undefined.
   */
  async function sendRequests (count: number): Promise<Failure | undefined> {
    const request = await requests.beginRound(life.signal)
    let failure: Failure | undefined
    let isAnswered = false
    for (let index = 0; index < count && !life.signal.aborted && requests.budget(); index++) {
      if (index > 0) await new Promise<void>((resolve) => timer(resolve, GAP_MS))
      const outcome = await request()
      if (life.signal.aborted) return undefined
      if (outcome.kind === 'time') {
        isAnswered = true
        onTime(outcome)
        continue
      }
      failure = outcome
      if (outcome.kind === 'unreachable' || outcome.isFinal || outcome.waitMs > 0) break
    }
    return isAnswered ? undefined : failure
  }

  async function round (count: number): Promise<void> {
    timer()
    isBusy = true
    const failure = await sendRequests(count)
    isBusy = false
    if (life.signal.aborted) return
    if (failure === undefined) scheduleRound()
    else end(failure)
  }

  function scheduleRound (): void {
    timer(() => round(sync.probes || 1), sync.every * (0.9 + environment.random() / 5))
  }

  function end (outcome: Failure): void {
    stop()
    events.onEnd({ code: ABNORMAL, reason: outcome.reason, wasOpen: isOpen, outcome })
  }

  // Deferred, so that the caller has the transport before the first event.
  timer(() => {
    if (first) onTime(first)
    if (!life.signal.aborted) round(FIRST_ROUND - (first ? 1 : 0))
  })

  return {
    name: 'http',
    protocol: '',
    send: () => false,
    resync () {
      if (!isBusy && isOpen) round(FIRST_ROUND)
    },
    check () {},
    close: stop
  }
}
