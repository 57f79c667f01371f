import { connect as connectSocket } from 'node:net'
import { test } from 'tap'
import { createTimeApp, listen } from '../helpers/network/app.js'
import { heapBytes } from '../helpers/network/garbage.js'
import { CLOSE_FRAME, textFrame, upgradeRequest } from '../helpers/network/raw.js'
import { slopeOf } from '../helpers/network/slope.js'
import { waitFor } from '../helpers/network/wait.js'

const ROUNDS = 20
const CYCLES_PER_ROUND = 1000
const MAX_SLOPE_BYTES = 100

/** Connects, says something, and leaves, by the close handshake or by a reset. */
function cycle (port: number, isClosing: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, '127.0.0.1')
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.write(upgradeRequest('/time'))
    socket.once('data', () => {
      socket.write(textFrame('hi'))
      if (isClosing) socket.end(CLOSE_FRAME)
      else socket.resetAndDestroy()
    })
  })
}

test(`${ROUNDS * CYCLES_PER_ROUND} connections leave at most ${MAX_SLOPE_BYTES} bytes each`, {
  timeout: 300_000
}, async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 50,
    preValidation: async () => {},
    context: async () => ({ seat: Math.random() }),
    onConnect: async () => {},
    onMessage: (client) => client.send('x')
  }, { logger: false })
  const port = await listen(app)
  const heaps: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    for (let count = 0; count < CYCLES_PER_ROUND; count += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => cycle(port, index % 2 === 0)))
    }
    await waitFor(() => timeSocket.clients.size === 0, 'leaving')
    heaps.push(await heapBytes())
  }
  // The first rounds warm caches up.
  const slope = slopeOf(heaps.slice(2)) / CYCLES_PER_ROUND
  t.comment(`${slope.toFixed(1)} bytes a cycle; heap ${heaps.map((bytes) => Math.round(bytes / 1024)).join(' ')} KiB`)
  t.ok(slope <= MAX_SLOPE_BYTES, `${slope.toFixed(1)} bytes a cycle`)
})
