import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketClient } from '../../../src/index.js'
import { systemTimers } from '../../../src/util/timers.js'
import { listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { createRandom } from '../../helpers/fakes/random.js'
import { https } from '../../helpers/network/tls.js'
import { waitFor } from '../../helpers/network/wait.js'

const SEED = 7
const CLIENT_COUNT = 100
const STEP_COUNT = 100
const LARGE_BYTES = 20_000
/** By how much each reading of the clock in a broadcast is ahead: longer than a slice. */
const READING_MS = 5
const START_MS = Date.UTC(2026, 0)
/** What is scheduled has numbers from here on. */
const SCHEDULED = 1000
/** How far ahead. */
const AHEAD_MS = 20

/** One client, from both sides. */
interface Pair {
  readonly peer: Peer
  readonly client: TimeSocketClient
  /** The numbers of the messages it was sent, in order. */
  readonly sent: number[]
  /** Those that it is sent when it is time, in between. */
  readonly due: number[]
  /** How its connection ended, if the server closed it. */
  ending: [code: number, reason: string] | undefined
  isTerminated: boolean
}

interface Teardown {
  teardown (end: () => unknown): unknown
}

async function setUp (t: Teardown, scheme: 'ws' | 'wss') {
  const slow = slowBroadcasts(t)
  const serverOptions: object = scheme === 'wss' ? { https } : {}
  const app: FastifyInstance = Fastify(serverOptions)
  t.teardown(() => app.close())
  await app.register(timeSocket, {
    // Rare enough that ticks of a busy machine do not hold up all broadcasts.
    interval: 200,
    immediate: false,
    format: ({ seq }) => `tick ${seq}`,
    // Otherwise the clock that runs ahead would look like steps of the wall clock.
    clock: { now: () => START_MS + systemTimers.monotonic() },
    maxBufferedBytes: 2 ** 31 - 1,
    shutdown: { grace: 8000 }
  })
  const port = await listen(app)
  const pairs: Pair[] = []

  async function join (): Promise<void> {
    const before = new Set(app.timeSocket.clients.keys())
    const protocols = pairs.length % 2 === 0 ? ['time.v1'] : []
    const url = `${scheme}://127.0.0.1:${port}/time`
    const peer = await connect(url, { ca: https.cert, protocols })
    const client = [...app.timeSocket.clients.values()].find(({ id }) => !before.has(id))
    const story = { sent: [], due: [], ending: undefined, isTerminated: false }
    pairs.push({ peer, client: client as TimeSocketClient, ...story })
  }

  for (let count = 0; count < CLIENT_COUNT; count++) await join()
  return { app, pairs, join, slow, random: createRandom(SEED) }
}

type Scene = Awaited<ReturnType<typeof setUp>>

/** Those that can be sent to. */
function stayers ({ pairs }: Scene): Pair[] {
  return pairs.filter(({ ending, isTerminated }) => ending === undefined && !isTerminated)
}

function pick<Value> (values: readonly Value[], random: () => number): Value {
  return values[Math.floor(random() * values.length)] as Value
}

/** What may happen while a broadcast is on its way, each by its share. */
const STEPS: [share: number, step: (scene: Scene, number: number) => unknown][] = [
  [0.15, (scene, number) => broadcast(scene, number, LARGE_BYTES)],
  [0.1, (scene, number) => broadcast(scene, number, 10)],
  [0.1, (scene, number) => schedule(scene, SCHEDULED + number)],
  [0.2, (scene, number) => {
    const { client, sent } = pick(stayers(scene), scene.random)
    if (client.send(String(number))) sent.push(number)
  }],
  [0.15, (scene) => {
    const pair = pick(stayers(scene), scene.random)
    pair.client.close(4000, 'enough')
    pair.ending = [4000, 'enough']
  }],
  [0.05, (scene) => {
    const pair = pick(stayers(scene), scene.random)
    pair.client.terminate()
    pair.isTerminated = true
  }],
  [0.1, ({ join }) => join()],
  [0.15, () => new Promise((resolve) => setImmediate(resolve))]
]

function broadcast (scene: Scene, number: number, bytes: number): void {
  const recipients = stayers(scene)
  scene.slow.during(() => scene.app.timeSocket.broadcast(String(number).padEnd(bytes)))
  for (const { sent } of recipients) sent.push(number)
}

/** Clients of `time.v1` get it in its place, all others later. */
function schedule (scene: Scene, number: number): void {
  const { timeSocket } = scene.app
  timeSocket.broadcast(String(number), { at: timeSocket.now() + AHEAD_MS })
  for (const { peer, sent, due } of stayers(scene)) {
    (peer.ws.protocol === '' ? due : sent).push(number)
  }
}

/** Parts what came in its place from what was scheduled and came on joining, or on time. */
function part (
  numbers: readonly number[], { sent }: Pair
): [inPlace: number[], others: number[]] {
  const isOther = (number: number) => number >= SCHEDULED && !sent.includes(number)
  return [numbers.filter((number) => !isOther(number)), numbers.filter(isOther)]
}

function isIncreasing (numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > Number(numbers[index - 1]))
}

async function run (scene: Scene): Promise<void> {
  for (let number = 0; number < STEP_COUNT; number++) {
    let share = scene.random()
    for (const [ofStep, step] of STEPS) {
      share -= ofStep
      if (share >= 0) continue
      await step(scene, number)
      break
    }
  }
}

/** A clock that runs ahead during broadcasts, so that each slice ends at its first reading. */
interface SlowBroadcasts {
  /** Calls `action`, during which the clock runs ahead. */
  during (action: () => void): void
  /** How often a broadcast has been continued in a later turn of the event loop. */
  readonly continuedCount: number
}

function slowBroadcasts (t: Teardown): SlowBroadcasts {
  const { monotonic, soon } = systemTimers
  t.teardown(() => Object.assign(systemTimers, { monotonic, soon }))
  let aheadMs = 0
  let isSlow = false
  let continuedCount = 0
  function during (action: () => void): void {
    isSlow = true
    action()
    isSlow = false
  }
  systemTimers.monotonic = () => {
    if (isSlow) aheadMs += READING_MS
    return monotonic() + aheadMs
  }
  systemTimers.soon = (callback) => {
    if (!isSlow) return soon(callback)
    continuedCount++
    return soon(() => during(callback))
  }
  return {
    during,
    get continuedCount () {
      return continuedCount
    }
  }
}

/** What came, without ticks and greeting; whatever number stands for. */
function numbersOf ({ ws, messages }: Peer): number[] {
  const texts = messages.map(String)
  if (ws.protocol === '') return texts.filter((text) => !text.startsWith('tick')).map(Number)
  const [greeting, ...others] = texts.map((text) => JSON.parse(text))
  if (greeting?.type !== 'hello') return [NaN]
  return others.filter(({ type }) => type !== 'tick').map(({ data }) => Number(data))
}

for (const [title, scheme] of [['TCP', 'ws'], ['TLS', 'wss']] as const) {
  test(`over ${title}, whichever clients join, leave or get messages meanwhile, each client gets everything in order and in its wire format`, async (t) => {
    const scene = await setUp(t, scheme)
    await run(scene)
    // In the middle of one more.
    broadcast(scene, STEP_COUNT, LARGE_BYTES)
    const plain = stayers(scene).filter(({ peer }) => peer.ws.protocol === '')
    const last = SCHEDULED + STEP_COUNT
    schedule(scene, last)
    await waitFor(() => plain.every(({ peer }) => peer.messages.includes(String(last))), 'the last')
    await scene.app.close()
    const goodbye: Pair['ending'] = [1001, 'server shutting down']
    const disorder: object[] = []
    for (const pair of scene.pairs) {
      const { peer, sent, due, ending, isTerminated } = pair
      const [code, reason] = await peer.closed
      const [numbers, others] = part(numbersOf(peer), pair)
      const isMissing = plain.includes(pair) && !due.every((number) => others.includes(number))
      if (isMissing || !isIncreasing(others)) disorder.push({ due, others })
      const expected = isTerminated ? sent.slice(0, numbers.length) : sent
      const end = isTerminated ? [1006, ''] : ending ?? goodbye
      if (String([numbers, code, reason]) === String([expected, ...end])) continue
      disorder.push({ numbers, expected, code, reason })
    }
    t.strictSame(disorder, [])
    const { continuedCount } = scene.slow
    t.ok(continuedCount >= 10, `${continuedCount} times, others could come between two slices`)
    t.ok(scene.pairs.length > CLIENT_COUNT, 'some came')
    t.ok(stayers(scene).length > CLIENT_COUNT / 2, 'some stayed')
  })
}
