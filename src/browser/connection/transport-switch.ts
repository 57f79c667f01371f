import type { ClockSettings } from '../clock-options.js'
import type { Budget } from '../environment.js'
import { openHttp } from './http-transport.js'
import type { TimeOutcome } from './received.js'
import type { ReconnectPolicy } from './reconnect-policy.js'
import type { TimeRequests } from './time-request.js'
import { ABNORMAL } from './transport.js'
import type { Ending, Transport, TransportData, TransportEvents } from './transport.js'
import { openWebSocket } from './websocket-transport.js'

/**
 * Holds at most one open transport, and one that is being opened. When the new transport opens, the
 * old one is closed.
 */
export interface TransportSwitch {
  /** The transport that is open, if any. */
  readonly transport: Transport | undefined
  /** Tries a WebSocket. */
  openSocket (): Promise<void>
  /**
   * Starts syncing over HTTP.
   *
   * @param first an answer that has already arrived.
   */
  openHttp (first?: TimeOutcome): void
  /**
   * Closes both transports.
   *
   * @returns a signal that the next reset aborts: results that arrive later are stale.
   */
  reset (): AbortSignal
  /** Must be called once a second. */
  check (): void
}

export interface TransportSwitchOptions {
  settings: ClockSettings
  policy: ReconnectPolicy
  /** The budget of all probes, over both transports. */
  budget: Budget
  requests: TimeRequests
  data: TransportData
  onOpen: (isSocket: boolean) => void
  /** Also called if no WebSocket was created because the URL could not be resolved. */
  onSocketEnd: (ending: Ending) => void
  onHttpEnd: (ending: Ending) => void
}

export function createTransportSwitch (options: TransportSwitchOptions): TransportSwitch {
  const { settings, policy, budget, requests, data, onOpen, onSocketEnd, onHttpEnd } = options
  const { WebSocket } = settings.environment
  let transport: Transport | undefined
  /** The transport that is being opened. */
  let attempt: Transport | undefined
  let phase = new AbortController()

  function begin (
    open: (events: TransportEvents) => Transport, onEnd: (ending: Ending) => void
  ): void {
    const begun = open({
      ...data,
      onOpen () {
        transport?.close()
        if (attempt === begun) attempt = undefined
        transport = begun
        onOpen(begun.name === 'websocket')
      },
      onEnd (ending) {
        if (attempt === begun) attempt = undefined
        onEnd(ending)
      }
    })
    attempt = begun
  }

  return {
    get transport () {
      return transport
    },
    async openSocket () {
      const { signal } = phase
      const url = await requests.findUrl(signal)
      if (signal.aborted || !WebSocket) return
      if (typeof url !== 'string') {
        return onSocketEnd({ code: ABNORMAL, reason: url.reason, wasOpen: false, outcome: url })
      }
      policy.onSocketTried()
      const patience = policy.patienceCount()
      begin((events) => openWebSocket({ settings, WebSocket, url, budget, patience, events }),
        onSocketEnd)
    },
    openHttp (first) {
      begin((events) => openHttp({ settings, requests, first, events }), onHttpEnd)
    },
    reset () {
      phase.abort()
      attempt?.close()
      transport?.close()
      attempt = transport = undefined
      phase = new AbortController()
      return phase.signal
    },
    check () {
      attempt?.check()
      transport?.check()
    }
  }
}
