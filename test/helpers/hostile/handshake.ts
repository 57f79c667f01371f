/** Numbers from 0 to 1; repeatable. */
type Random = () => number

/** What a hostile client does. */
export interface Handshake {
  /** For messages: what it sends first, and how. */
  readonly title: string
  readonly bytes: Buffer
  /** Whether it sends them one by one. */
  readonly isDribbled: boolean
  /** What it does when it has sent all. */
  readonly leaving: 'fin' | 'reset' | 'stay'
  /** True if it asks for a WebSocket. The server answers any other upgrade like a plain request. */
  readonly isUpgrade: boolean
}

const MISDEEDS = ['throw', 'hang', 'answer', 'wait']

const PATHS = [
  ...MISDEEDS.flatMap((what) => [
    `/time?when=late&what=${what}`, `/time?when=early&what=${what}`,
    `/plain?when=early&what=${what}`, `/outside?when=outside&what=${what}`
  ]),
  '/time?when=late&when=early&what=hang', '/plain', '/outside', '/nowhere', '/%zz', '/time%00',
  '/time/', '//time', '/TIME', '/time#now', '*', '', 'http://127.0.0.1/time', '/é',
  `/items/${'x'.repeat(500)}`, `/${'x'.repeat(20_000)}`, `/time?${'a=1&'.repeat(1000)}`
]
const METHODS = ['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'CONNECT', 'PRI', 'TIME', 'get']
const VERSIONS = ['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']
const HOSTS = ['', 'Host:\r\n', 'Host: a\r\nHost: b\r\n', 'Host: a b:c\r\n', 'Host: [::1\r\n']
const CONNECTIONS = [
  '', 'Connection: close\r\n', 'Connection: keep-alive\r\n', 'Connection: keep-alive, Upgrade\r\n',
  'Connection: close, upgrade\r\n', 'Connection: Upgrade\r\nConnection: close\r\n'
]
const UPGRADES = [
  '', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n', 'Upgrade: websocket, h2c\r\n',
  'Upgrade: websocket\r\nUpgrade: websocket\r\n', 'Upgrade: WebSocket\r\n', 'Upgrade: x\r\n'
]
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const KEYS = ['', KEY + KEY, 'Sec-WebSocket-Key: short\r\n', 'Sec-WebSocket-Key:\r\n']
const SOCKET_VERSIONS = [
  '', 'Sec-WebSocket-Version: 7\r\n', 'Sec-WebSocket-Version: x\r\n',
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n'
]
const EXTRAS = [
  'Sec-WebSocket-Protocol: a, a\r\n', 'Sec-WebSocket-Protocol: ,\r\n', 'Sec-WebSocket-Protocol:\r\n',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n',
  'Sec-WebSocket-Extensions: ;;\r\n', 'Origin: null\r\n', 'Expect: 100-continue\r\n', 'Expect: x\r\n',
  'X-Null: \0\r\n', 'no colon\r\n', ' folded\r\n', `Cookie: ${'c'.repeat(20_000)}\r\n`,
  'X-Many: 1\r\n'.repeat(1500), 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'X-Feed: 1\n'
]
/** None is incomplete: it would swallow what follows, and nobody could tell an upgrade. */
const BODIES: [header: string, body: string][] = [
  ['Content-Length: 5\r\n', 'hello'], ['Content-Length: -1\r\n', 'hello'],
  ['Content-Type: application/json\r\nContent-Length: 2\r\n', '{}'],
  ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\n', 'zz\r\nhello']
]
/** What follows an upgrade at once: a message, a close, a huge frame, bad frames. */
const FRAMES = [
  '8182000000006869', '888000000000', '82ffffffffffffffffff00000000', '8100', 'ff00ff00ff00', '0180', '83'
]
const PLAIN = 'GET /plain HTTP/1.1\r\nHost: x\r\n\r\n'
/** More than these are not sent one by one: it would take too long. */
const MAX_DRIBBLED_BYTES = 600

/** Makes up what a hostile client does. */
export function createHandshake (random: Random): Handshake {
  const parts = createParts(random)
  const whole = Buffer.from(parts.join(''), 'latin1')
  const isCut = random() < 0.25
  const bytes = isCut ? whole.subarray(0, Math.floor(random() * whole.length)) : whole
  const isDribbled = bytes.length <= MAX_DRIBBLED_BYTES && random() < 0.15
  // Without the rest of it, nobody can tell what is an upgrade: who waits for it is Node's.
  const leaving = pick(random, isCut ? ['fin', 'reset'] as const : ['fin', 'reset', 'stay', 'stay'] as const)
  const isUpgrade = !isCut && parts.some((part) =>
    /^connection:.*upgrade/im.test(part) && upgradesOf(part) === 'websocket')
  const title = `${JSON.stringify(bytes.toString('latin1', 0, 300))}${isDribbled ? ', byte by byte' : ''}, ${leaving}`
  return { title, bytes, isDribbled, leaving, isUpgrade }
}

/** The value of `Upgrade`, as Node joins it from several headers. */
function upgradesOf (request: string): string {
  const values = [...request.matchAll(/^upgrade:(.*)$/gim)].map(([, value = '']) => value.trim())
  return values.join(', ').toLowerCase()
}

/** What is sent: one request, several, or something else. */
function createParts (random: Random): string[] {
  const chance = random()
  if (chance < 0.6) return [createRequest(random)]
  if (chance < 0.75) return [PLAIN, createRequest(random)]
  if (chance < 0.85) return [createRequest(random), createRequest(random)]
  if (chance < 0.95) return [createRequest(random), Buffer.from(pick(random, FRAMES), 'hex').toString('latin1')]
  return Array.from({ length: 1 + random() * 200 }, () => String.fromCharCode(random() * 256))
}

/** Half of its parts are as they should be, at least. */
function createRequest (random: Random): string {
  const mostly = (good: string, bad: readonly string[], badness = 0.15) =>
    random() < badness ? pick(random, bad) : good
  const [header, body] = random() < 0.1 ? pick(random, BODIES) : ['', '']
  return [
    `${mostly('GET', METHODS)} ${mostly('/time', PATHS, 0.6)} ${mostly('HTTP/1.1', VERSIONS, 0.05)}\r\n`,
    mostly('Host: 127.0.0.1\r\n', HOSTS, 0.1),
    mostly('Connection: Upgrade\r\n', CONNECTIONS),
    mostly('Upgrade: websocket\r\n', UPGRADES),
    mostly(KEY, KEYS, 0.1),
    mostly('Sec-WebSocket-Version: 13\r\n', SOCKET_VERSIONS, 0.1),
    mostly('', EXTRAS),
    `${header}\r\n${body}`
  ].join('')
}

function pick<Value> (random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)] as Value
}
