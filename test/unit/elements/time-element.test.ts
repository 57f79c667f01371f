import { test } from 'tap'
import type { Test } from 'tap'
import type { ServerCountdownElement as Countdown } from '../../../src/elements/index.js'
import {
  FakeClock, FakeElement, installFakePage, installFakeTime, reported
} from '../../helpers/fakes/fake-page.js'

installFakePage()
/** The sockets that clocks of the elements' own have opened, by URL. */
const connections: string[] = []
Object.assign(globalThis, {
  WebSocket: class {
    constructor (url: string) { connections.push(url) }
    close (): void {}
  },
  fetch: async (url: string) => {
    connections.push(url)
    throw new TypeError('no network')
  }
})
const { ServerCountdownElement, ServerTimeElement } = await import('../../../src/elements/index.js')
const { reportOnce } = await import('../../../src/elements/attributes.js')
const { ServerClock } = await import('../../../src/browser/index.js')

const DUE = '2030-01-01T00:00:00Z'

test('is a timer with an open shadow root: the fallback and the part time', (t) => {
  const element = new ServerTimeElement() as unknown as FakeElement
  t.equal(element.internals.role, 'timer')
  t.strictSame(element.root?.children.map(({ localName }) => localName), ['slot', 'span'])
  t.equal(element.root?.children[1]?.getAttribute('part'), 'time')
  t.equal(element.root?.adoptedStyleSheets.length, 1)
  t.end()
})

test('shows its own content until the clock has synced', (t) => {
  const { clock, isFallback, element, part } = setUp(t, { isSynced: false })
  t.ok(isFallback())
  t.equal(element.hasAttribute('data-state'), false)
  t.equal(part.title, '')
  clock.synced = true
  clock.fire('sync')
  t.notOk(isFallback())
  t.equal(element.getAttribute('data-state'), 'synced')
  t.equal(part.title, `± ${inMilliseconds(13)}`)
  t.end()
})

test('still shows the time while the error is temporarily unknown', (t) => {
  const { clock, isFallback, element, part } = setUp(t)
  clock.synced = false
  clock.fire('step')
  t.notOk(isFallback())
  t.equal(element.hasAttribute('data-state'), false)
  t.equal(part.title, '')
  t.end()
})

test('shows by its states that the server is unreachable, or refuses', (t) => {
  const { clock, element } = setUp(t)
  const seen: unknown[] = []
  for (const type of ['close', 'refused', 'open']) {
    clock.fire(type)
    seen.push([element.getAttribute('data-state'), [...element.internals.states ?? []].join(' ')])
  }
  t.strictSame(seen, [
    ['synced offline', 'synced offline'], ['synced refused', 'synced refused'], ['synced', 'synced']
  ])
  t.end()
})

test('works if the browser has no custom states', (t) => {
  const { element, clock } = setUp(t)
  element.internals.states = undefined
  clock.fire('close')
  t.equal(element.getAttribute('data-state'), 'synced offline')
  t.end()
})

test('works if custom states need two hyphens', (t) => {
  const { element, clock } = setUp(t)
  element.internals.states = new class extends Set<string> {
    override add (): never { throw new SyntaxError('--') }
  }()
  clock.fire('close')
  t.equal(element.getAttribute('data-state'), 'synced offline')
  t.end()
})

test('is up to date when it is inserted again', (t) => {
  const { clock, element } = setUp(t)
  element.remove()
  clock.fire('close')
  t.equal(element.getAttribute('data-state'), 'synced')
  clock.state = 'waiting'
  // A clone has the attribute, but not the custom states.
  element.internals.states?.clear()
  element.connect()
  t.equal(element.getAttribute('data-state'), 'synced offline')
  element.remove()
  clock.state = 'open'
  element.internals.states?.clear()
  element.setAttribute('data-state', 'synced refused')
  element.connect()
  t.equal(element.getAttribute('data-state'), 'synced')
  t.strictSame(element.internals.states, new Set(['synced']))
  t.end()
})

test('shows another clock when its clock is set, and changes nothing while not in a page', (t) => {
  const { element, clock, time } = setUp(t)
  const other = new FakeClock(time)
  other.state = 'refused'
  const countdown = element as unknown as Countdown
  countdown.clock = other.asServerClock
  t.ok(countdown.clock === other.asServerClock)
  t.equal(element.getAttribute('data-state'), 'synced refused')
  clock.fire('close')
  t.equal(element.getAttribute('data-state'), 'synced refused')
  element.remove()
  countdown.clock = clock.asServerClock
  countdown.to = '2031-01-01T00:00:00Z'
  t.equal(element.getAttribute('data-state'), 'synced refused')
  t.end()
})

test('adopts properties that were set before it was defined', (t) => {
  const element = new ServerCountdownElement() as Countdown
  const define = (name: string, value: unknown) => (
    Object.defineProperty(element, name, { value, configurable: true, enumerable: true })
  )
  define('to', DUE)
  define('format', 'words')
  define('foreign', 1)
  const fake = element as unknown as FakeElement
  element.clock = new FakeClock(installFakeTime(t)).asServerClock
  fake.connect()
  t.teardown(() => fake.remove())
  t.equal(element.getAttribute('to'), DUE)
  t.equal(element.getAttribute('format'), 'words')
  t.equal(Reflect.get(element, 'foreign'), 1)
  t.end()
})

test('opens one clock for all elements of a URL, and closes it after they are removed', async (t) => {
  const urls = ['', '/time', 'https://example.org/time']
  const elements = urls.map((src) => {
    const element = new ServerTimeElement()
    element.src = src
    element.transport = 'websocket'
    const fake = element as unknown as FakeElement
    fake.connect()
    return element
  })
  const clocks = new Set(elements.map(({ clock }) => clock))
  t.equal(clocks.size, 1)
  const [clock] = clocks
  t.ok(clock instanceof ServerClock)
  const [first] = elements
  if (first !== undefined) first.src = '/other'
  t.ok(first?.clock !== clock)
  const closed = new Promise((resolve) => clock?.addEventListener('close', resolve))
  for (const element of elements) (element as unknown as FakeElement).remove()
  t.equal(first?.clock, undefined)
  await closed
  t.equal(clock?.state, 'closed')
})

const mistakes: [name: string, value: string, expectation: string][] = [
  ...['https://:x', 'ftp://example.org/', 'data:,x', '/time#x'].map(
    (value): [string, string, string] => (
      ['src', value, 'a URL with http, https, ws or wss, and without a fragment']
    )),
  ['transport', 'carrier pigeon', 'one of http, websocket, auto'],
  ['lang', 'en_US', 'a language tag'],
  ['digits', '4', 'one of 0, 1, 2, 3'],
  ['digits', '', 'one of 0, 1, 2, 3'],
  ['time-zone', 'Europe/Atlantis', 'the IANA name of a time zone'],
  ['date-style', 'tiny', 'one of medium, full, long, short'],
  ['time-style', 'none', 'one of medium, full, long, short'],
  ['hour-cycle', 'h13', 'one of h11, h12, h23, h24'],
  ['format', 'roman', 'one of digits, words'],
  ...[
    'tomorrow', '', '2030-01-01', '2030-01-01T00:00:00', '2030-02-30T00:00:00Z',
    '2030-01-01T25:00:00Z', '2030-13-01T00:00:00Z', '1893456000', '-1893456000000', '1e12',
    '9000000000000000', 'NaN'
  ].map((value): [string, string, string] => (
    ['to', value, 'ISO 8601 with "Z" or an offset, or ms since the Unix epoch']
  ))
]

test('reports the same mistake again after a hundred others', async (t) => {
  reported.length = 0
  for (let index = 0; index <= 100; index++) reportOnce(`mistake ${index}`)
  reportOnce('mistake 100')
  t.equal(reported.length, 101)
  reportOnce('mistake 0')
  t.equal(reported.at(-1), 'mistake 0')
  t.equal(reported.length, 102)
})

for (const [name, value, expectation] of mistakes) {
  test(`reports once that ${name} is ${JSON.stringify(value)}, and shows the fallback`, (t) => {
    const isTime = /-/.test(name)
    const clockless = name === 'src' || name === 'transport'
    const { element, isFallback, clock } = setUp(t, { isTime, hasClock: !clockless })
    reported.length = 0
    element.setAttribute(name, value)
    clock.fire('sync')
    const tag = isTime ? 'server-time' : 'server-countdown'
    t.strictSame(reported, [
      `RangeError: <${tag}> expects "${name}" to be ${expectation}, got ${JSON.stringify(value)}`
    ])
    t.ok(isFallback())
    t.match(element.getAttribute('data-state'), /\binvalid$/)
    const other = isTime ? new ServerTimeElement() : new ServerCountdownElement()
    other.setAttribute(name, value)
    if (!clockless) other.clock = clock.asServerClock
    ;(other as unknown as FakeElement).connect()
    t.equal(reported.length, 1)
    if (name === 'to') element.setAttribute(name, DUE)
    else element.removeAttribute(name)
    if (!clockless) t.notOk(isFallback())
    t.notMatch(String(element.getAttribute('data-state')), /invalid/)
    ;(other as unknown as FakeElement).remove()
    t.end()
  })
}

interface SetUpOptions {
  isTime?: boolean
  isSynced?: boolean
  hasClock?: boolean
}

/** An element in a page, with a clock of the test's. */
function setUp (t: Test, { isTime = false, isSynced = true, hasClock = true }: SetUpOptions = {}) {
  const time = installFakeTime(t)
  const clock = new FakeClock(time)
  clock.synced = isSynced
  clock.error = 12.3
  const element = isTime ? new ServerTimeElement() : new ServerCountdownElement()
  if (!isTime) element.setAttribute('to', DUE)
  if (hasClock) element.clock = clock.asServerClock
  const fake = element as unknown as FakeElement
  fake.connect()
  t.teardown(() => {
    fake.remove()
    time.advance(1000)
  })
  const [fallback, part] = fake.root?.children as [FakeElement, FakeElement]
  return {
    time, clock, element: fake, part, isFallback: () => part.hidden && !fallback.hidden
  }
}

function inMilliseconds (ms: number): string {
  return new Intl.NumberFormat(undefined, { style: 'unit', unit: 'millisecond' }).format(ms)
}
