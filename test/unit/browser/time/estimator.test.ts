import { test } from 'tap'
import { createEstimator } from '../../../../src/browser/time/estimator.js'
import { createQuantum } from '../../../../src/browser/time/device-clock.js'
import { createRandom } from '../../../helpers/fakes/random.js'

const EPOCH_MS = 1_795_262_400_000
/** Rounding of such times. */
const ROUNDING_MS = 0.001

interface Path {
  /** The offset grows by it in a millisecond. */
  skew?: number
  /** Of the local clock, which rounds down. */
  quantumMs?: number
  upMs?: () => number
  downMs?: () => number
  /** What an earlier visit has found. */
  priorSkew?: number
}

/** Two clocks and a path between them. The local clock is 0 at first, the server's EPOCH_MS. */
function setUp (
  { skew = 0, quantumMs = 0.001, upMs = () => 10, downMs = () => 10, priorSkew }: Path = {}
) {
  const estimator = createEstimator(createQuantum(), priorSkew)
  const random = createRandom(7)
  let offsetMs = EPOCH_MS
  let localMs = 0
  const shown = (ms: number) => Math.floor(ms / quantumMs) * quantumMs
  const trueOffset = (ms: number) => offsetMs + skew * ms

  function exchange (): boolean {
    const arrivedMs = localMs + upMs()
    const leftMs = arrivedMs + random()
    const cameMs = leftMs + downMs()
    const times = {
      t1: shown(localMs),
      t2: arrivedMs + trueOffset(arrivedMs),
      t3: leftMs + trueOffset(leftMs),
      t4: shown(cameMs)
    }
    localMs = cameMs
    return estimator.onExchange(times)
  }

  return {
    estimator,
    random,
    exchange,
    tick (): boolean {
      const sentMs = localMs
      localMs += downMs()
      return estimator.onTick(sentMs + trueOffset(sentMs), shown(localMs))
    },
    wait (ms: number) {
      localMs += ms
    },
    step (ms: number) {
      offsetMs += ms
    },
    /** By how much the estimate is wrong, and may be. */
    look: () => {
      const { offset, error, skew } = estimator.at(shown(localMs))
      return { wrong: offset + shown(localMs) - localMs - trueOffset(localMs), error, skew }
    }
  }
}

test('has no estimate before an exchange', async (t) => {
  const { estimator, exchange } = setUp()
  t.strictSame(estimator.at(0), { offset: 0, skew: 0, error: Infinity })
  exchange()
  t.ok(estimator.at(0).error < Infinity)
})

test('ticks alone bound only one side', async (t) => {
  const { tick, look, wait, exchange } = setUp()
  for (let count = 0; count < 10; count++) {
    tick()
    wait(1000)
    t.equal(look().error, Infinity)
  }
  exchange()
  t.ok(look().error < 11, `${look().error} ms`)
})

test('finds the exact offset if both delays are equal; otherwise the error bound holds', async (t) => {
  for (const [upMs, downMs] of [[10, 10], [35, 10], [0, 20], [1, 0]] as const) {
    const { exchange, look, wait } = setUp({ upMs: () => upMs, downMs: () => downMs })
    for (let count = 0; count < 5; count++) {
      exchange()
      wait(100)
    }
    const { wrong, error } = look()
    t.ok(Math.abs(wrong - (upMs - downMs) / 2) < 0.01, `${wrong} ms`)
    t.ok(error >= Math.abs(wrong) && error < (upMs + downMs) / 2 + 0.2, `${error} ms`)
  }
})

test('delayed messages do no harm', async (t) => {
  const late = createRandom(3)
  const delay = () => 10 + (late() < 0.5 ? 400 * late() : 0)
  const { exchange, look, wait } = setUp({ upMs: delay, downMs: delay })
  for (let count = 0; count < 60; count++) {
    exchange()
    wait(1000)
  }
  t.ok(Math.abs(look().wrong) < 0.1, `${look().wrong} ms`)
})

for (const skew of [-100e-6, -20e-6, 0, 20e-6, 100e-6]) {
  test(`finds a skew of ${skew * 1e6} ppm`, async (t) => {
    const jitter = createRandom(5)
    const delay = () => 5 + 2 * jitter()
    const { exchange, look, wait } = setUp({ skew, upMs: delay, downMs: delay })
    for (let count = 0; count < 300; count++) {
      exchange()
      wait(2000)
    }
    t.ok(Math.abs(look().skew - skew) < 1.5e-6, `${look().skew * 1e6} ppm`)
    wait(30_000)
    t.ok(Math.abs(look().wrong) < 0.2, `${look().wrong} ms`)
  })
}

test('estimates no skew before there are four bounds a side over two seconds', async (t) => {
  const { exchange, look, wait } = setUp({ skew: 50e-6 })
  const skews = [600, 600, 600, 600, 600].map((ms) => {
    exchange()
    const { skew } = look()
    wait(ms)
    return skew > 10e-6
  })
  t.strictSame(skews, [false, false, false, false, true])
})

test('the bound grows with the time since the last message, either way', async (t) => {
  const { estimator, exchange } = setUp()
  exchange()
  const { error } = estimator.at(20)
  for (const [distanceMs, growthMs] of [[10_000, 1.05], [-10_000, 1.05]] as const) {
    const later = estimator.at(20 + distanceMs).error
    t.ok(Math.abs(later - error - growthMs) < 0.01, `${later - error} ms`)
  }
})

for (const quantumMs of [0.1, 1, 16.67, 100]) {
  test(`the error bound holds with a clock that counts in steps of ${quantumMs} ms`, async (t) => {
    const jitter = createRandom(9)
    const delay = () => 2 + jitter()
    const { exchange, look, wait, random } = setUp({ quantumMs, upMs: delay, downMs: delay })
    for (let count = 0; count < 300; count++) {
      exchange()
      wait(1000 * random())
      const { wrong, error } = look()
      if (Math.abs(wrong) > error + ROUNDING_MS) t.fail(`${wrong} is not within ${error} ms`)
    }
    t.ok(Math.abs(look().error) < 3 + 2 * quantumMs, `${look().error} ms`)
  })
}

for (const stepMs of [-3_600_000, -500, -30, 30, 500, 300_000]) {
  test(`notices at once that a clock was set by ${stepMs} ms, and follows`, async (t) => {
    const { exchange, look, wait, step } = setUp()
    for (let count = 0; count < 100; count++) {
      if (exchange()) t.fail('reported a step although no clock was set')
      wait(5000)
    }
    step(stepMs)
    t.strictSame([exchange(), exchange()], [true, false])
    const { wrong, error } = look()
    t.ok(Math.abs(wrong) < 0.2 && error < 11, `${wrong} ± ${error} ms`)
  })
}

test('notices a step that makes the corridor narrower than a round trip', async (t) => {
  const { exchange, wait, step } = setUp()
  exchange()
  wait(1000)
  step(7)
  t.equal(exchange(), true)
})

test('a faster route is not a contradiction', async (t) => {
  let delayMs = 200
  const { exchange, look, wait } = setUp({ upMs: () => delayMs, downMs: () => delayMs })
  exchange()
  delayMs = 1
  wait(1000)
  t.equal(exchange(), false)
  t.ok(look().error < 1.2, `${look().error} ms`)
})

test('queues that empty one after the other are not a step', async (t) => {
  let [upMs, downMs] = [10, 130]
  const { exchange, tick, look, wait } = setUp({ upMs: () => upMs, downMs: () => downMs })
  exchange()
  wait(1000)
  ;[upMs, downMs] = [130, 10]
  t.equal(tick(), false)
  t.equal(exchange(), false)
  t.ok(look().error < 10.5, `${look().error} ms`)
})

for (const priorSkew of [20e-6, -20e-6]) {
  test(`starts from a skew of ${priorSkew * 1e6} ppm that an earlier visit has found`, async (t) => {
    const delay = createRandom(5)
    const { exchange, look, wait } = setUp({
      skew: priorSkew, priorSkew, upMs: () => 20 + 30 * delay(), downMs: () => 20 + 30 * delay()
    })
    for (let count = 0; count < 8; count++) {
      exchange()
      wait(500)
      t.ok(Math.abs(look().skew - priorSkew) < 2e-6, `${look().skew * 1e6} ppm`)
    }
  })
}

for (const priorSkew of [100e-6, -400e-6, 500e-6]) {
  test(`the error bound holds, and the skew is found, even if the prior skew is ${priorSkew}`, async (t) => {
    const delay = createRandom(5)
    const { exchange, look, wait } = setUp({
      skew: 10e-6, priorSkew, upMs: () => 5 + 2 * delay(), downMs: () => 5 + 2 * delay()
    })
    for (let count = 0; count < 300; count++) {
      if (exchange()) t.fail('reported a step although no clock was set')
      wait(2000)
      const { wrong, error } = look()
      if (Math.abs(wrong) > error + ROUNDING_MS) t.fail(`${wrong} is not within ${error} ms`)
    }
    t.ok(Math.abs(look().skew - 10e-6) < 1.5e-6, `${look().skew * 1e6} ppm`)
  })
}

test('a skew of an earlier visit does not change the error bound', async (t) => {
  const errors = [undefined, 30e-6].map((priorSkew) => {
    const { exchange, look, wait } = setUp({ skew: 30e-6, ...priorSkew && { priorSkew } })
    for (let count = 0; count < 3; count++) {
      exchange()
      wait(60_000)
    }
    return look().error
  })
  const [without = NaN, having = NaN] = errors
  t.ok(having > 0.9 * without, `${having} ms instead of ${without}`)
})

test('clocks whose rates wander by 5 ppm do not contradict the estimate', async (t) => {
  let skew = 10e-6
  let atMs = 0
  let offsetMs = EPOCH_MS
  const estimator = createEstimator(createQuantum())
  const contradictions: object[] = []
  for (let count = 0; count < 2000; count++) {
    offsetMs += 5000 * skew
    atMs += 5000
    skew = 10e-6 + 5e-6 * Math.sin(count / 50)
    const [t1, t2] = [atMs, atMs + 0.4 + offsetMs]
    const isStep = estimator.onExchange({ t1, t2, t3: t2, t4: atMs + 0.8 })
    const { offset, error } = estimator.at(atMs)
    const wrong = offset - offsetMs
    if (isStep || Math.abs(wrong) > error) contradictions.push({ count, isStep, wrong, error })
  }
  t.strictSame(contradictions, [])
})

test('the error bound holds with any order of messages', async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = createRandom(seed)
    const delay = () => 30 * random() ** 4
    const { exchange, tick, look, wait } = setUp({
      upMs: delay,
      downMs: delay,
      skew: (random() - 0.5) * 190e-6,
      quantumMs: random() < 0.5 ? 1 : 0.1
    })
    for (let count = 0; count < 200; count++) {
      if (random() < 0.3) exchange()
      else tick()
      wait(20_000 * random() ** 6)
      const { wrong, error } = look()
      if (Math.abs(wrong) > error + ROUNDING_MS) t.fail(`${seed}: ${wrong} is not within ${error}`)
    }
  }
})
