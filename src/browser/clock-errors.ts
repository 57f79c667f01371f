import type { ClockSettings } from './clock-options.js'
import type { Environment } from './environment.js'

export type ServerClockErrorCode =
  /** The clock is closed. */
  'CLOSED' |
  /** The server has refused this client for good. */
  'REFUSED' |
  /** The URL cannot be resolved, or is not a valid URL of a time socket. */
  'INVALID_URL' |
  /** The option `transport` is `'websocket'`, and the runtime has no `WebSocket`. */
  'NO_WEBSOCKET'

/** An error of a `ServerClock`. The message says what to do. */
export class ServerClockError extends Error {
  readonly code: ServerClockErrorCode

  constructor (code: ServerClockErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServerClockError'
    this.code = code
  }
}

/**
 * Resolves the URL of a time socket against the page.
 *
 * @returns an `http` or `https` URL.
 * @throws ServerClockError `INVALID_URL`. The message says what to do.
 */
export function resolveUrl (url: string | URL, { page }: Environment): string {
  const base = page.document?.baseURI ?? page.location?.href
  let resolved: URL
  try {
    resolved = new URL(url, base)
  } catch (cause) {
    const hint = base === undefined || base.startsWith('blob:')
      ? 'there is no page to resolve it against: pass an absolute URL, or, if a server renders ' +
        'the page, autoOpen: false'
      : 'it is not a valid URL'
    throw new ServerClockError('INVALID_URL', `Cannot connect to "${url}": ${hint}`, { cause })
  }
  const { protocol, hash, href } = resolved
  if (!/^(ws|http)s?:$/.test(protocol) || hash !== '') {
    throw new ServerClockError('INVALID_URL',
      `Cannot connect to "${url}": pass a URL with http, https, ws or wss, and without a fragment`)
  }
  return href.replace(/^ws/, 'http')
}

/**
 * Checks that the runtime has what the clock needs.
 *
 * @throws TypeError without `EventTarget` or `CustomEvent`; ServerClockError `NO_WEBSOCKET` if
 * `transport` is `'websocket'` and there is no `WebSocket`.
 */
export function assertRuntime ({ transport, environment }: ClockSettings): void {
  if (!globalThis.EventTarget || !globalThis.CustomEvent) {
    throw new TypeError('ServerClock needs EventTarget and CustomEvent: load a polyfill first')
  }
  if (transport === 'websocket' && !environment.WebSocket) {
    throw new ServerClockError('NO_WEBSOCKET', 'This runtime has no WebSocket. ' +
      'Use transport "http" or "auto", or pass a class as environment.WebSocket')
  }
}
