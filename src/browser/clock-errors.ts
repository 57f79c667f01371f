export type ServerClockErrorCode =
  /** The clock is closed. */
  'CLOSED' |
  /** The server has refused this client for good. */
  'REFUSED' |
  /** The URL cannot be resolved, or is no URL of a time socket. */
  'INVALID_URL' |
  /** `transport: 'websocket'`, or no `fetch` either, where there is no `WebSocket`. */
  'NO_WEBSOCKET' |
  /** The server at this URL does not speak `time.v1`. */
  'NOT_A_TIME_SOCKET'

/** An error of a `ServerClock`; the message says what to do. */
export class ServerClockError extends Error {
  readonly code: ServerClockErrorCode

  constructor (code: ServerClockErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServerClockError'
    this.code = code
  }
}
