/**
 * A program: clients that stay and talk, and others that come and go in every way there is. Its
 * settings are its argument, as JSON. It says `connected` when those that stay are there.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'

export interface ComingAndGoingSettings {
  readonly port: number
  /** How many stay. */
  readonly staying: number
  /** How many come in a second, and go again. */
  readonly comingPerSecond: number
}

const BATCH = 50
const SYNC_EVERY_MS = 1000
const MESSAGE_EVERY_MS = 3000
const STAY_MS = 500
const PROTOCOLS = ['time.v1', undefined]

const { port, staying, comingPerSecond } =
  JSON.parse(String(process.argv[2])) as ComingAndGoingSettings

/** How a client goes, or is made to. */
const WAYS: readonly ((ws: WebSocket) => void)[] = [
  (ws) => ws.close(1000, 'enough'),
  (ws) => ws.terminate(),
  // Larger than a message may be.
  (ws) => ws.send(Buffer.alloc(10_000)),
  // More than may come.
  (ws) => { for (let count = 0; count < 100; count++) ws.send('hi') },
  // A frame that no client may send.
  (ws) => (ws as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.of(0xff, 0xff))
]

for (let count = 0; count < staying; count += BATCH) {
  await Promise.all(Array.from({ length: BATCH }, (_, index) => stay(count + index)))
}
process.send?.('connected')
process.on('disconnect', () => process.exit())
for (let count = 0; ; count++) {
  comeAndGo(count).catch((err: unknown) => { process.send?.(String(err)) })
  await sleep(1000 / comingPerSecond)
}

async function connect (number: number): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/time`, PROTOCOLS[number % PROTOCOLS.length] ?? [])
  ws.on('error', () => {})
  ws.on('message', () => {})
  await once(ws, 'open')
  return ws
}

async function stay (number: number): Promise<void> {
  const ws = await connect(number)
  ws.on('close', (code) => { process.send?.(`one that was to stay went with ${code}`) })
  await sleep(Math.random() * SYNC_EVERY_MS)
  if (ws.protocol === 'time.v1') {
    setInterval(() => ws.send('{"type":"sync","id":1}'), SYNC_EVERY_MS)
    setInterval(() => ws.send('{"type":"message","data":{"a":[1]}}'), MESSAGE_EVERY_MS)
  } else {
    setInterval(() => ws.send('hi'), MESSAGE_EVERY_MS)
  }
}

async function comeAndGo (number: number): Promise<void> {
  const ws = await connect(number)
  const closed = once(ws, 'close')
  ws.send('hi')
  await sleep(Math.random() * STAY_MS)
  WAYS[number % WAYS.length]?.(ws)
  await closed
}
