import { ask, KEY } from './handshake-case.js'
import type { Handshake } from './handshake-case.js'

const MADE = {
  status: 101, accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', upgrade: 'websocket', connection: 'upgrade'
}
const PLAIN = { status: 200 }
/** A key of a WebSocket without `Upgrade: websocket`: a proxy has stripped it. */
const UPGRADE_REQUIRED = { status: 426, upgrade: 'websocket' }
const REFUSED = { status: 400 }
/** §4.4 demands the header; the status is "an appropriate one, such as 426", and ws says 400. */
const OTHER_VERSION = { status: 400, version: '13, 8' }
const BAD_KEYS: Record<string, string | undefined> = {
  'is missing': undefined,
  'is empty': '',
  'is of 3 bytes': 'AQID',
  'is of 17 bytes': 'dGhlIHNhbXBsZSBub25jZTE=',
  'is not padded': 'dGhlIHNhbXBsZSBub25jZQ',
  'is not base64': 'dGhlIHNhbXBsZSBub25j!Q==',
  'is followed by another': `${KEY}, ${KEY}`
}

/** RFC 6455 §4.2.1: what a client must send. */
const requests: readonly Handshake[] = [
  ask('1.3 the example is answered with its accept value', {}, MADE),
  ask('4.2.1 a path with a query', { line: 'GET /time?x=1 HTTP/1.1' }, MADE),
  ask('4.2.1 an absolute URL', { line: 'GET http://127.0.0.1/time HTTP/1.1' }, MADE),
  ask('4.2.2 a path without a resource gets 404', { line: 'GET /nowhere HTTP/1.1' }, { status: 404 }),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => ask(
    `4.2.1 the method is GET: the route does not accept ${method}`,
    { line: `${method} /time HTTP/1.1` }, { status: 404 }
  )),
  ask('4.2.1 the method is GET: HEAD is answered as if it asked for no upgrade',
    { line: 'HEAD /time HTTP/1.1' }, PLAIN),
  // The next three should be refused. Node looks at neither in an upgrade.
  ask('4.2.1 HTTP/1.1 or higher: Node.js accepts 1.0', { line: 'GET /time HTTP/1.0' }, MADE),
  ask('4.2.1 a Host: Node.js accepts none', { headers: { Host: undefined } }, MADE),
  ask('4.2.1 a Host: Node.js accepts two', { lines: ['Host: example.com'] }, MADE),
  ...['WebSocket', 'WEBSOCKET'].map((Upgrade) => ask(
    `4.2.1 Upgrade in any case: ${Upgrade}`, { headers: { Upgrade } }, MADE)),
  ...['websockets', 'h2c'].map((Upgrade) => ask(
    `4.2.1 Upgrade to something else is refused: ${Upgrade}`,
    { headers: { Upgrade } }, UPGRADE_REQUIRED)),
  // Should be accepted, but no client sends it.
  ask('4.2.1 Upgrade to one of two is refused',
    { headers: { Upgrade: 'h2c, websocket' } }, UPGRADE_REQUIRED),
  ...[undefined, ''].map((Upgrade) => ask(
    `4.2.1 no upgrade without Upgrade: ${Upgrade}`, { headers: { Upgrade } }, UPGRADE_REQUIRED)),
  ...['upgrade', 'UPGRADE', 'keep-alive, Upgrade', 'Upgrade,keep-alive'].map((Connection) => ask(
    `4.2.1 Connection with the token in any case: ${Connection}`, { headers: { Connection } }, MADE)),
  ask('4.2.1 Connection in two lines', {
    headers: { Connection: 'keep-alive' }, lines: ['Connection: Upgrade']
  }, MADE),
  ...[undefined, 'keep-alive', 'close', 'upgraded'].map((Connection) => ask(
    `4.2.1 no upgrade without the token in Connection: ${Connection}`,
    { headers: { Connection } }, UPGRADE_REQUIRED
  )),
  ...Object.entries(BAD_KEYS).map(([title, key]) => ask(
    `4.2.1 a key is 16 bytes in base64: one that ${title} is refused`,
    { headers: { 'Sec-WebSocket-Key': key } }, REFUSED
  )),
  ask('4.2.1 two keys are refused', { lines: [`Sec-WebSocket-Key: ${KEY}`] }, REFUSED),
  ...[undefined, '', '0', '7', '12', '14', '255', '-13', 'x', '13, 12'].map((version) => ask(
    `4.2.2 and 4.4 version ${version} is refused, with the supported versions`,
    { headers: { 'Sec-WebSocket-Version': version } }, OTHER_VERSION
  )),
  ask('4.4 an older version may be supported: ws supports 8, which differs only in the name of Origin',
    { headers: { 'Sec-WebSocket-Version': '8' } }, MADE),
  ask('4.2.1 names of headers in any case', {
    headers: { 'Sec-WebSocket-Key': undefined }, lines: [`sEC-wEBSOCKET-kEY: ${KEY}`]
  }, MADE),
  ask('4.2.1 irrelevant headers', { headers: { Cookie: 'a=b', 'X-Any': 'y' } }, MADE)
]

/** RFC 6455 §4.2.2: what the server answers. */
const answers: readonly Handshake[] = [
  ask('4.2.2 another key has another accept value',
    { headers: { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } },
    { ...MADE, accept: 'ICX+Yqv66kxgM0FcWaLWlFLwTAI=' }),
  ...[
    ['time.v1', 'time.v1'],
    ['lecture.v2', 'lecture.v2'],
    ['lecture.v2, time.v1', 'lecture.v2'],
    ['time.v1,lecture.v2', 'time.v1'],
    ['other, time.v1', 'time.v1']
  ].map(([offered, protocol = '']) => ask(`4.2.2 of the subprotocols ${offered} one is chosen`,
    { headers: { 'Sec-WebSocket-Protocol': offered } }, { ...MADE, protocol })),
  ask('4.2.1 subprotocols in two lines', {
    headers: { 'Sec-WebSocket-Protocol': 'other' }, lines: ['Sec-WebSocket-Protocol: time.v1']
  }, { ...MADE, protocol: 'time.v1' }),
  ...['other', 'TIME.V1', ''].map((offered) => ask(
    `4.2.2 an unsupported subprotocol is never chosen, and the upgrade is refused: "${offered}"`,
    { headers: { 'Sec-WebSocket-Protocol': offered } }, REFUSED
  )),
  ...[
    'permessage-deflate', 'permessage-deflate; client_max_window_bits', 'x-webkit-deflate-frame', 'x'
  ].map((extension) => ask(`9.1 the extension ${extension} is not agreed upon`,
    { headers: { 'Sec-WebSocket-Extensions': extension } }, MADE))
]

/** RFC 6455 §4: the opening handshake. */
export const handshakes: readonly Handshake[] = [...requests, ...answers]
