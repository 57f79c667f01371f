import { connect } from 'node:net'
import { LENGTH, MARK } from './message.js'
import { serve } from './peer.js'
import { nowMs, usage } from './usage.js'
import { WIRES } from './wires.js'

/** Handshakes on their way at once: enough that the server never waits for us. */
const CONCURRENCY = 128
const MARK_BYTE = MARK.charCodeAt(0)
/** One for all sockets: what has come is counted at once, and never kept. */
const buffer = Buffer.alloc(64 * 1024)

/** The clients of this process. */
let clients = []
/** Messages that have come to all of them since `reset`. */
let receivedCount = 0
/** Who waits until `receivedCount` is this. */
let awaited = { count: Infinity, resolve () {} }

serve({
  /** Opens connections, and resolves when all are through. @returns how long that took. */
  async connect ({ target, count }) {
    const startedMs = nowMs()
    let opened = clients.length
    const wanted = opened + count
    async function openMany () {
      while (opened < wanted) await open(target, opened++)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, openMany))
    return nowMs() - startedMs
  },
  disconnect () {
    // A reset leaves no port in TIME_WAIT; ten thousand of those, and they run out.
    for (const { socket } of clients) socket.resetAndDestroy()
    clients = []
  },
  reset () {
    receivedCount = 0
    for (const client of clients) client.count = client.bytes = 0
  },
  /** @returns when the last of so many messages since `reset` came. */
  receive ({ count }) {
    if (receivedCount >= count) return nowMs()
    return new Promise((resolve) => {
      awaited = { count, resolve }
    })
  },
  receivedCount: () => receivedCount,
  /** @returns the least and the most that any one client has got since `reset`. */
  delivered () {
    const range = { count: [Infinity, 0], bytes: [Infinity, 0] }
    for (const client of clients) {
      widen(range.count, client.count)
      widen(range.bytes, client.bytes)
    }
    return range
  },
  usage
})

function widen (range, value) {
  range[0] = Math.min(range[0], value)
  range[1] = Math.max(range[1], value)
}

/** Resolves when the server has said that this client is connected. */
function open ({ wire, hosts, port, path }, index) {
  const { hello, isReady, prompt, answer } = WIRES[wire]
  // Of one address, a server can have no more clients than there are ephemeral ports.
  const host = hosts[index % hosts.length]
  return new Promise((resolve, reject) => {
    const client = { count: 0, bytes: 0, socket: undefined }
    let text = ''
    let isAnswered = answer === undefined
    let read = shakeHands

    function shakeHands (size) {
      text += buffer.latin1Slice(0, size)
      if (!isAnswered && text.includes(prompt)) {
        isAnswered = true
        client.socket.write(answer)
      }
      if (isReady(text)) finish()
    }

    function finish () {
      read = (size) => receive(client, size)
      text = ''
      resolve()
    }

    const onread = { buffer, callback: (size) => read(size) }
    client.socket = connect({ host, port, noDelay: true, onread })
    client.socket.on('connect', () => {
      const greeting = hello(path)
      if (greeting === undefined) finish()
      else client.socket.write(greeting)
    })
    client.socket.on('error', reject)
    client.socket.on('close', () => reject(new Error('the server closed a connection')))
    clients.push(client)
  })
}

function receive (client, size) {
  client.bytes += size
  for (let at = find(0, size); at >= 0; at = find(at + LENGTH, size)) {
    client.count++
    receivedCount++
  }
  if (receivedCount >= awaited.count) {
    awaited.resolve(nowMs())
    awaited = { count: Infinity, resolve () {} }
  }
}

/** The index of the first mark in what has just come; -1 if none. */
function find (from, size) {
  for (let at = from; at < size; at++) {
    if (buffer[at] === MARK_BYTE) return at
  }
  return -1
}
