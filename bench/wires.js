/** From RFC 6455 §1.3. Servers only hash it: all clients may have the same. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/**
 * How a client connects, by wire: what it says first, and by what it knows that it is connected.
 *
 * - `hello(path)`: the bytes to send when TCP is connected; none if undefined.
 * - `isReady(text)`: whether what has come so far, as latin1, says so.
 * - `answer`: what the server waits for once it has said `prompt`; nothing if undefined.
 */
export const WIRES = {
  raw: {
    hello: () => undefined,
    isReady: () => true,
    answer: undefined
  },
  websocket: {
    hello: upgradeRequest,
    isReady: (text) => text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n'),
    answer: undefined
  },
  'event-stream': {
    hello: (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    isReady: (text) => text.startsWith('HTTP/1.1 200') && text.includes('\r\n\r\n'),
    answer: undefined
  },
  'socket.io': {
    hello: upgradeRequest,
    isReady: (text) => text.includes('40{"sid"'),
    prompt: '0{"sid"',
    // The text "40", connect to the main namespace, in a frame masked with zeros.
    answer: Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])
  }
}

function upgradeRequest (path) {
  return [
    `GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`, '', ''
  ].join('\r\n')
}
