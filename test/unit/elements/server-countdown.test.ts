import { test } from 'tap'
import type { Test } from 'tap'
import {
  FakeClock, FakeElement, installFakePage, installFakeTime, motion
} from '../../helpers/fakes/fake-page.js'

installFakePage()
const { ServerCountdownElement } = await import('../../../src/elements/index.js')

const DUE_MS = Date.UTC(2030, 0, 1)
const DUE = '2030-01-01T00:00:00Z'
const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]

const texts: [leftMs: number, attributes: Record<string, string>, expected: string][] = [
  [0, {}, '00:00'],
  [1, {}, '00:01'],
  [SECOND, {}, '00:01'],
  [5 * MINUTE + 3 * SECOND, {}, '05:03'],
  [HOUR - 1, {}, '01:00:00'],
  [3 * HOUR + 4 * MINUTE + 5 * SECOND, {}, '03:04:05'],
  [DAY, {}, '1 day 00:00:00'],
  [2 * DAY + 3 * HOUR + 4 * MINUTE + 5 * SECOND, {}, '2 days 03:04:05'],
  [3652 * DAY, {}, '3,652 days 00:00:00'],
  [3652 * DAY, { lang: 'de' }, '3.652 Tage 00:00:00'],
  [5 * MINUTE + 3210, { digits: '1' }, '05:03.3'],
  [5 * MINUTE + 3210, { digits: '2', lang: 'de' }, '05:03,21'],
  [1, { digits: '3' }, '00:00.001'],
  [3 * HOUR + 4 * MINUTE + 5 * SECOND, { lang: 'fa' }, '۰۳:۰۴:۰۵'],
  [2 * DAY, { lang: 'ja' }, '2 日 00:00:00'],
  [2 * DAY, { lang: 'th' }, '2 วัน 00:00:00'],
  [3 * HOUR, { lang: 'fi' }, '03.00.00'],
  [-1, {}, '00:00'],
  [-HOUR, {}, '00:00'],
  [-1, { past: '' }, '00:00'],
  [-5999, { past: '' }, '00:05'],
  [-HOUR, { past: '' }, '01:00:00'],
  [-5999, { past: '', digits: '1' }, '00:05.9']
]

for (const [leftMs, attributes, expected] of texts) {
  test(`shows ${expected} with ${JSON.stringify(attributes)} and ${leftMs} ms left`, (t) => {
    const { text } = setUp(t, leftMs, { lang: 'en', ...attributes })
    t.equal(text(), expected)
    t.end()
  })
}

const instants: [to: string, ms: number][] = [
  [DUE, DUE_MS],
  ['2030-01-01T00:00Z', DUE_MS],
  ['2030-01-01T00:00:00.500Z', DUE_MS + 500],
  ['2030-01-01T05:30:00+05:30', DUE_MS],
  ['2029-12-31T20:30:00.0-03:30', DUE_MS],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ['1969-07-20T20:17:40Z', Date.UTC(1969, 6, 20, 20, 17, 40)],
  [String(DUE_MS), DUE_MS],
  [`${DUE_MS}.5`, DUE_MS + 0.5]
]

for (const [to, ms] of instants) {
  test(`counts to ${to}`, (t) => {
    const { text, clock } = setUp(t, 0, { to, lang: 'en' })
    clock.startMs = ms - 61_000
    clock.fire('step')
    t.equal(text(), '01:01')
    t.end()
  })
}

test('changes when the remaining time does, even if the instant is not on a full second', (t) => {
  const { text, time } = setUp(t, 5300, { lang: 'en' })
  t.equal(text(), '00:06')
  time.advance(299)
  t.equal(text(), '00:06')
  time.advance(1)
  t.equal(text(), '00:05')
  t.end()
})

test('stops at zero, without a timer', (t) => {
  const { text, time, element } = setUp(t, 1500, { lang: 'en' })
  time.advance(1500)
  t.equal(text(), '00:00')
  t.equal(element.getAttribute('data-state'), 'synced due')
  t.equal(time.pendingCount, 0)
  t.end()
})

test('with past, counts up after the instant', (t) => {
  const { text, time, element } = setUp(t, 1000, { lang: 'en', past: '' })
  time.advance(1000)
  t.equal(text(), '00:00')
  time.advance(1000)
  t.equal(text(), '00:01')
  t.equal(element.getAttribute('data-state'), 'synced due')
  t.end()
})

test('fires due once, when the clock reaches the instant', (t) => {
  const { time, dues, clock } = setUp(t, 1500)
  time.advance(1499)
  t.equal(dues(), 0)
  time.advance(1)
  t.equal(dues(), 1)
  clock.fire('sync')
  time.advance(5000)
  t.equal(dues(), 1)
  t.end()
})

test('fires due at once for an instant that has passed', (t) => {
  const { dues } = setUp(t, -1)
  t.equal(dues(), 1)
  t.end()
})

test('fires due once for each value of to', (t) => {
  const { dues, element, time } = setUp(t, 1000)
  time.advance(1000)
  element.setAttribute('to', String(DUE_MS + 5000))
  t.equal(element.getAttribute('data-state'), 'synced')
  time.advance(4999)
  t.equal(dues(), 1)
  time.advance(1)
  t.equal(dues(), 2)
  element.setAttribute('to', DUE)
  element.remove()
  element.connect()
  t.equal(dues(), 3)
  t.end()
})

test('continues to the instant that a listener of due sets', (t) => {
  const { text, element, time } = setUp(t, 1000, { lang: 'en' })
  element.addEventListener('due', () => {
    element.setAttribute('to', String(DUE_MS + 3000))
  }, { once: true })
  time.advance(1000)
  t.equal(text(), '00:03')
  time.advance(1000)
  t.equal(text(), '00:02')
  t.end()
})

test('fires due only once the clock is synced', (t) => {
  const { dues, clock, time, element } = setUp(t, 1000)
  clock.synced = false
  time.advance(5000)
  t.equal(dues(), 0)
  t.equal(element.getAttribute('data-state'), 'due')
  clock.synced = true
  clock.fire('sync')
  t.equal(dues(), 1)
  t.end()
})

test('is no longer due after the server\'s clock has stepped back, and does not fire due again', (t) => {
  const { dues, clock, time, element, text } = setUp(t, 1000, { lang: 'en' })
  time.advance(1000)
  clock.startMs -= 10_000
  clock.fire('step')
  t.equal(element.getAttribute('data-state'), 'synced')
  t.equal(text(), '00:10')
  time.advance(10_000)
  t.equal(element.getAttribute('data-state'), 'synced due')
  t.equal(dues(), 1)
  t.end()
})

test('without to, shows the fallback', (t) => {
  const { element, isFallback } = setUp(t, 1000)
  element.removeAttribute('to')
  t.ok(isFallback())
  t.equal(element.getAttribute('data-state'), 'synced')
  t.end()
})

test('accepts a date, a number and nothing as to', (t) => {
  const element = new ServerCountdownElement()
  t.equal(element.to, '')
  element.to = new Date(DUE_MS)
  t.equal(element.to, String(DUE_MS))
  element.to = DUE_MS + 1
  t.equal(element.to, String(DUE_MS + 1))
  element.to = undefined
  t.equal(element.hasAttribute('to'), false)
  t.end()
})

test('reflects format and past', (t) => {
  const element = new ServerCountdownElement()
  t.strictSame([element.format, element.past], ['digits', false])
  element.format = 'words'
  element.past = true
  t.strictSame([element.getAttribute('format'), element.getAttribute('past')], ['words', ''])
  t.equal(element.past, true)
  element.past = false
  t.equal(element.hasAttribute('past'), false)
  t.end()
})

test('shows words if there is Intl.DurationFormat, else digits', (t) => {
  const asked: unknown[] = []
  const original = Object.getOwnPropertyDescriptor(Intl, 'DurationFormat')
  Reflect.deleteProperty(Intl, 'DurationFormat')
  t.teardown(() => {
    Reflect.deleteProperty(Intl, 'DurationFormat')
    if (original !== undefined) Object.defineProperty(Intl, 'DurationFormat', original)
  })
  const { text, element } = setUp(t, 2 * DAY + 3 * HOUR + 4 * MINUTE + 5600, {
    lang: 'en', format: 'words', digits: '1'
  })
  t.equal(text(), '2 days 03:04:05.6')
  Object.defineProperty(Intl, 'DurationFormat', {
    configurable: true,
    value: class {
      constructor (...settings: unknown[]) { asked.push(settings) }
      format (duration: unknown): string { return JSON.stringify(duration) }
    }
  })
  element.setAttribute('past', '')
  t.equal(text(), '{"days":2,"hours":3,"minutes":4,"seconds":5,"milliseconds":600}')
  t.match(asked, [['en', { style: 'long', secondsDisplay: 'always', fractionalDigits: 1 }]])
  t.end()
})

test('shows no fractions if the user prefers reduced motion', (t) => {
  motion.matches = true
  t.teardown(() => { motion.matches = false })
  const { text } = setUp(t, 5300, { lang: 'en', digits: '3' })
  t.equal(text(), '00:06')
  t.end()
})

/** A `<server-countdown>` to `DUE` in a page, with a clock that shows so many ms less. */
function setUp (t: Test, leftMs: number, attributes: Record<string, string> = {}) {
  const time = installFakeTime(t)
  const clock = new FakeClock(time, DUE_MS - leftMs)
  const element = new ServerCountdownElement()
  const fake = element as unknown as FakeElement
  let dueCount = 0
  element.addEventListener('due', () => { dueCount++ })
  for (const [name, value] of Object.entries({ to: DUE, ...attributes })) {
    element.setAttribute(name, value)
  }
  element.clock = clock.asServerClock
  fake.connect()
  t.teardown(() => fake.remove())
  const [fallback, part] = fake.root?.children ?? []
  return {
    time,
    clock,
    element: fake,
    dues: () => dueCount,
    text: () => part?.textContent ?? '',
    isFallback: () => part?.hidden === true && fallback?.hidden === false
  }
}
