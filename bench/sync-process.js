import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from './peer.js'
import { nowMs } from './usage.js'
import { WIRES } from './wires.js'

/** Of one `time.v1` tick, and of one answer, there is one of these. */
const MARKS = { ticks: Buffer.from('"type":"tick"'), syncs: Buffer.from('"type":"sync"') }
const BATCH_MS = 5

const sockets = []
const counts = { ticks: 0, syncs: 0 }

serve({
  async connect ({ port, path, host, count }) {
    await Promise.all(Array.from({ length: count }, () => open({ port, path, host })))
  },
  /** Asks so many times, one client after the other, evenly. Resolves when all are answered. */
  async ask ({ count, perSecond }) {
    const startedMs = nowMs()
    const until = counts.syncs + count
    for (let asked = 0; asked < count;) {
      const due = Math.min(count, Math.floor((nowMs() - startedMs) * perSecond / 1000))
      while (asked < due) sockets[asked % sockets.length].write(createRequest(asked++))
      await sleep(BATCH_MS)
    }
    while (counts.syncs < until) await sleep(BATCH_MS)
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
      for (const [name, mark] of Object.entries(MARKS)) counts[name] += countOf(mark, data)
    })
    socket.on('error', reject)
    sockets.push(socket)
  })
}

/** A frame masked with zeros. */
function createRequest (id) {
  const text = JSON.stringify({ type: 'sync', id })
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

function countOf (mark, data) {
  let count = 0
  for (let at = data.indexOf(mark); at >= 0; at = data.indexOf(mark, at + 1)) count++
  return count
}
