import { test } from 'tap'
import { createRefusal } from '../../../../src/browser/connection/received.js'
import type { Outcome, TimeOutcome } from '../../../../src/browser/connection/received.js'
import { createReconnectPolicy } from '../../../../src/browser/connection/reconnect-policy.js'
import type {
  NextStep, ReconnectPolicy
} from '../../../../src/browser/connection/reconnect-policy.js'
import type { Ending } from '../../../../src/browser/connection/transport.js'

const LOST: Ending = { code: 1006, reason: 'reset', wasOpen: true }
const FAILED: Ending = { code: 1006, reason: '', wasOpen: false }
const TIME: TimeOutcome = {
  kind: 'time',
  source: { server: 'a', clockSteps: 0 },
  exchange: { t1: 0, t2: 0, t3: 0, t4: 0 },
  upgrade: undefined
}
const FULL = createRefusal(503, 'CAPACITY', 'the server refuses with 503')
const DOWN: Outcome = { kind: 'unreachable', isServerDown: true, reason: 'no answer' }
const UNKNOWN: Outcome = { ...DOWN, isServerDown: false }

interface Clock {
  ms: number
}

function setUp ({ canFallBack = true } = {}) {
  const clock: Clock = { ms: 1000 }
  const environment = { monotonic: () => clock.ms, random: () => 0.5 }
  return { clock, policy: createReconnectPolicy(environment, canFallBack) }
}

test('what follows an end', async (t) => {
  const always = () => {}
  const failTwice = (policy: ReconnectPolicy) => {
    policy.nextDelayMs()
    policy.nextDelayMs()
  }
  const blockOnce = (policy: ReconnectPolicy) => policy.onEnd(FAILED, TIME)

  const steps: [
    title: string, canFallBack: boolean, before: (policy: ReconnectPolicy) => unknown,
    ending: Ending, outcome: Outcome | undefined, step: NextStep
  ][] = [
    ['waits after a lost connection', true, always, LOST, undefined,
      { reason: 'reset', syncOverHttp: false }],
    ['uses HTTP meanwhile if connections are cut often', true, failTwice, LOST, undefined,
      { reason: 'reset', syncOverHttp: true }],
    ['uses no HTTP meanwhile where it is not wanted', false, failTwice, LOST, undefined,
      { reason: 'reset', syncOverHttp: false }],
    ['stays away for good after 4403', true, always, { ...LOST, code: 4403 }, undefined,
      { reason: 'reset', refusal: { ...createRefusal(403, 'DO_NOT_RECONNECT', 'reset'), isFinal: true } }],
    ['waits if the server does not answer, for its reason', true, always, FAILED, DOWN,
      { reason: 'no answer', refusal: undefined }],
    ['keeps the reason of the WebSocket', true, always, LOST, DOWN,
      { reason: 'reset', refusal: undefined }],
    ['waits if the server refuses', true, always, FAILED, FULL,
      { reason: FULL.reason, refusal: FULL }],
    ['waits for a WebSocket that was open before', true, always, LOST, TIME, { reason: 'reset' }],
    ['falls back to HTTP if only that works', true, always, FAILED, TIME,
      { reason: '', fallback: TIME }],
    ['waits where HTTP is not wanted', false, always, FAILED, TIME,
      { reason: '', refusal: undefined }],
    ['says that WebSockets are blocked the second time', false, blockOnce, FAILED, TIME,
      { reason: '', refusal: createRefusal(200, 'BLOCKED', '') }],
    ['says rather what an upgrade would be refused with', false, blockOnce, FAILED,
      { ...TIME, upgrade: FULL }, { reason: '', refusal: FULL }]
  ]

  for (const [title, canFallBack, before, ending, outcome, step] of steps) {
    await t.test(title, async (t) => {
      const { policy } = setUp({ canFallBack })
      before(policy)
      t.strictSame(policy.onEnd(ending, outcome), step)
    })
  }
})

test('the delay before the next attempt', async (t) => {
  await t.test('is a random part of a limit that doubles up to 30 s', async (t) => {
    const { policy } = setUp()
    const delays = Array.from({ length: 8 }, () => policy.nextDelayMs())
    t.strictSame(delays, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000])
  })

  await t.test('is at least what the server asks for', async (t) => {
    const { policy } = setUp()
    t.strictSame([policy.nextDelayMs(7000), policy.nextDelayMs(100)], [7000, 500])
  })

  await t.test('may be cut short unless the server has asked for it', async (t) => {
    const { policy, clock } = setUp()
    policy.nextDelayMs(5000)
    clock.ms += 4999
    const before = policy.isHeldOff()
    clock.ms++
    const after = policy.isHeldOff()
    policy.nextDelayMs()
    t.strictSame([before, after, policy.isHeldOff()], [true, false, false])
  })

  const events: [
    event: string, canFallBack: boolean, startsAnew: boolean,
    act: (policy: ReconnectPolicy, clock: Clock) => void
  ][] = [
    ['open() is called', true, true, (policy) => policy.onOpenCalled()],
    ['a WebSocket has lasted over 10 s', true, true, (policy, clock) => {
      policy.onOpen(true)
      clock.ms += 10_001
      policy.onLost(LOST)
    }],
    ['a WebSocket has lasted 10 s', true, false, (policy, clock) => {
      policy.onOpen(true)
      clock.ms += 10_000
      policy.onLost(LOST)
    }],
    ['a WebSocket opens', true, false, (policy) => policy.onOpen(true)],
    ['HTTP works where nothing else is wanted', false, true, (policy) => policy.onOpen(false)],
    ['HTTP works in place of a WebSocket', true, false, (policy) => policy.onOpen(false)]
  ]

  for (const [event, canFallBack, startsAnew, act] of events) {
    await t.test(`${startsAnew ? 'starts anew' : 'goes on growing'} when ${event}`, async (t) => {
      const { policy, clock } = setUp({ canFallBack })
      for (let count = 0; count < 3; count++) policy.nextDelayMs()
      act(policy, clock)
      t.equal(policy.nextDelayMs(), startsAnew ? 250 : 2000)
    })
  }
})

test('a WebSocket is tried without asking', async (t) => {
  function setUpDown () {
    const setting = setUp()
    setting.policy.onSocketTried()
    setting.policy.onEnd(FAILED, DOWN)
    return setting
  }

  await t.test('at first', async (t) => {
    t.equal(setUp().policy.isSocketDue(), true)
  })

  await t.test('only once a minute while the server does not answer', async (t) => {
    const { policy, clock } = setUpDown()
    const first = policy.isSocketDue()
    clock.ms += 59_999
    const second = policy.isSocketDue()
    clock.ms++
    t.strictSame([first, second, policy.isSocketDue()], [false, false, true])
  })

  for (const [title, outcome] of [
    ['once the server tells the time', TIME],
    ['once the server refuses', FULL],
    ['if the URL cannot be resolved, or the page may not read the answer', UNKNOWN]
  ] as const) {
    await t.test(`again ${title}`, async (t) => {
      const { policy } = setUpDown()
      policy.onEnd(FAILED, outcome)
      t.equal(policy.isSocketDue(), true)
    })
  }

  await t.test('again once a transport has opened', async (t) => {
    const { policy } = setUpDown()
    policy.onOpen(false)
    t.equal(policy.isSocketDue(), true)
  })
})

test('a server that was asked is worth a WebSocket', async (t) => {
  const isWorthwhile = (policy: ReconnectPolicy) => [TIME, UNKNOWN, DOWN, FULL].map((outcome) =>
    policy.isSocketWorthwhile(outcome))
  const acts: [
    title: string, act: (policy: ReconnectPolicy) => unknown, isTimeEnough: boolean
  ][] = [
    ['if it tells the time, or if nothing is known of it', () => {}, true],
    ['but not by the time alone after a round in which only HTTP worked',
      (policy) => policy.onEnd(FAILED, TIME), false],
    ['again after a WebSocket has opened', (policy) => policy.onOpen(true), true],
    ['again after one was lost', (policy) => policy.onEnd(LOST, TIME), true],
    ['but not while HTTP takes its place', (policy) => {
      policy.onEnd(FAILED, TIME)
      policy.onOpen(false)
    }, false],
    ['again after a refusal', (policy) => policy.onEnd(FAILED, FULL), true]
  ]
  const { policy } = setUp()
  for (const [title, act, isTimeEnough] of acts) {
    await t.test(title, async (t) => {
      act(policy)
      t.strictSame(isWorthwhile(policy), [isTimeEnough, true, false, false])
    })
  }

  await t.test('by the time alone where nothing can take its place', async (t) => {
    const { policy } = setUp({ canFallBack: false })
    policy.onEnd(FAILED, TIME)
    t.equal(policy.isSocketWorthwhile(TIME), true)
  })
})

test('patience doubles with each silent WebSocket in succession, up to eight times', async (t) => {
  const { policy } = setUp()
  const patience = [true, true, true, true, false, true].map((wasSilent) => {
    policy.onLost({ ...LOST, wasSilent })
    return policy.patienceCount()
  })
  t.strictSame([...patience, setUp().policy.patienceCount()], [20, 40, 80, 80, 10, 20, 10])
})
