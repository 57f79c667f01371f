import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from './peer.js'
import { nowMs } from './usage.js'
import { WIRES } from './wires.js'

/** There is one of these in each tick, each reply to a probe, and each answer to a `GET`. */
const MARKS = {
  ticks: Buffer.from('"type":"tick"'),
  syncs: Buffer.from('"type":"sync"'),
  answers: Buffer.from('HTTP/1.1 200')
}
const BATCH_MS = 5
const REQUESTS = { sync: createSync, get: createGet, post: createPost }

const sockets = []
const counts = { ticks: 0, syncs: 0, answers: 0 }
const bytes = { received: 0, sent: 0 }

serve({
  async connect ({ port, path, host, count }) {
    await Promise.all(Array.from({ length: count }, () => open({ port, path, host })))
  },
  /** As `connect`, for clients that sync by HTTP. */
  async connectHttp ({ port, host, count }) {
    await Promise.all(Array.from({ length: count }, () => openHttp({ port, host })))
  },
  /**
   * Asks so many times, one client after the other, evenly. Resolves when all are answered, with
   * the bytes of one exchange.
   *
   * @param {'sync' | 'get' | 'post'} kind
   * @param {string} path for requests over HTTP.
   */
  async ask ({ count, perSecond, kind, path }) {
    const answers = kind === 'sync' ? 'syncs' : 'answers'
    const startedMs = nowMs()
    const until = counts[answers] + count
    const before = bytes.received + bytes.sent
    for (let asked = 0; asked < count;) {
      const due = Math.min(count, Math.floor((nowMs() - startedMs) * perSecond / 1000))
      for (; asked < due; asked++) {
        const request = REQUESTS[kind](asked, path)
        bytes.sent += request.length
        sockets[asked % sockets.length].write(request)
      }
      await sleep(BATCH_MS)
    }
    while (counts[answers] < until) await sleep(BATCH_MS)
    return (bytes.received + bytes.sent - before) / count
  },
  /** Resolves when so many more ticks have come, in all. */
  async receiveTicks ({ count }) {
    const until = counts.ticks + count
    while (counts.ticks < until) await sleep(BATCH_MS)
  }
})

/** Resolves when the server has let it in. */
function open ({ port, path, host }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true })
    socket.on('connect', () => {
      const request = WIRES.websocket.hello(path)
      socket.write(request.replace('\r\n\r\n', '\r\nSec-WebSocket-Protocol: time.v1\r\n\r\n'))
    })
    socket.on('data', (data) => {
      resolve()
      receive(data)
    })
    socket.on('error', reject)
    sockets.push(socket)
  })
}

function openHttp ({ port, host }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true }, resolve)
    socket.on('data', receive)
    socket.on('error', reject)
    sockets.push(socket)
  })
}

function receive (data) {
  bytes.received += data.length
  for (const [name, mark] of Object.entries(MARKS)) counts[name] += countOf(mark, data)
}

/** With the headers that Chromium sends, whose values are not much shorter or longer elsewhere. */
function createHttp (method, path, headers, body = '') {
  return Buffer.from([
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1:3000',
    'Connection: keep-alive',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
    ...headers,
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: cors',
    'Sec-Fetch-Dest: empty',
    'Referer: http://127.0.0.1:3000/page.html',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9',
    '',
    body
  ].join('\r\n'))
}

function createGet (id, path) {
  return createHttp('GET', path, [
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    `Accept: application/vnd.time-socket+json;id=${id}`,
    'time-socket-origin: http://127.0.0.1:3000'
  ])
}

/** As timesync 1.0 asks. */
function createPost (id, path) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: String(id), method: 'timesync' })
  return createHttp('POST', path, [
    `Content-Length: ${body.length}`,
    'Content-Type: application/json',
    'Accept: */*',
    'Origin: http://127.0.0.1:3000'
  ], body)
}

/** A frame masked with zeros. */
function createSync (id) {
  const text = JSON.stringify({ type: 'sync', id })
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

function countOf (mark, data) {
  let count = 0
  for (let at = data.indexOf(mark); at >= 0; at = data.indexOf(mark, at + 1)) count++
  return count
}
