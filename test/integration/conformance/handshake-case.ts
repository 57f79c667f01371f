/** Bytes that ask for a WebSocket, and what they must be answered. */
export interface Handshake {
  /** The section of RFC 6455 that demands it, and what it demands. */
  readonly title: string
  readonly bytes: string
  readonly answer: HandshakeAnswer
}

/** The status, and the headers that RFC 6455 speaks of: undefined where they are absent. */
export interface HandshakeAnswer {
  readonly status: number
  readonly accept?: string
  readonly upgrade?: string
  readonly connection?: string
  readonly protocol?: string
  readonly extensions?: string
  readonly version?: string
}

/** The example of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** How a request differs from the usual one. */
export interface Changes {
  /** The first line. */
  line?: string
  /** Headers other than the usual ones; undefined for none. */
  headers?: Record<string, string | undefined>
  /** Further lines, which may repeat a header. */
  lines?: readonly string[]
}

/** A request, and its answer. */
export function ask (
  title: string, { line = 'GET /time HTTP/1.1', headers, lines = [] }: Changes, answer: HandshakeAnswer
): Handshake {
  const all = Object.entries({
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...headers
  })
  const written = all.flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`])
  return { title, bytes: [line, ...written, ...lines, '', ''].join('\r\n'), answer }
}
