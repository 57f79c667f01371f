import { test } from 'tap'
import type { Test } from 'tap'
import {
  FakeClock, FakeElement, installFakePage, installFakeTime, motion
} from '../../helpers/fakes/fake-page.js'

installFakePage()
const { ServerTimeElement } = await import('../../../src/elements/index.js')

const MOMENT = Date.UTC(2026, 10, 29, 14, 5, 9) + 370
/** How a language writes the moment, whatever its data are in this version of Node.js. */
const inLanguage = (language: string, options: Intl.DateTimeFormatOptions): string => (
  new Intl.DateTimeFormat(language, { timeZone: 'UTC', ...options }).format(MOMENT)
)

for (const language of ['ar', 'de', 'en', 'fa', 'ja', 'th']) {
  test(`shows the time of day as ${language} writes it`, (t) => {
    const { text } = setUp(t, { lang: language, 'time-zone': 'UTC' })
    t.equal(text(), inLanguage(language, { timeStyle: 'medium' }))
    t.end()
  })

  test(`shows the date and the zone as ${language} writes them`, (t) => {
    const { text } = setUp(t, {
      lang: language, 'time-zone': 'UTC', 'date-style': 'full', 'time-style': 'long'
    })
    t.equal(text(), inLanguage(language, { dateStyle: 'full', timeStyle: 'long' }))
    t.end()
  })
}

const formats: [attributes: Record<string, string>, expected: string][] = [
  [{}, '14:05:09'],
  [{ digits: '0' }, '14:05:09'],
  [{ digits: '1' }, '14:05:09,3'],
  [{ digits: '2' }, '14:05:09,37'],
  [{ digits: '3' }, '14:05:09,370'],
  [{ digits: '1', 'time-style': 'short' }, '14:05:09,3'],
  [{ digits: '1', 'date-style': 'short' }, '29.11.26, 14:05:09,3'],
  [{ digits: '1', lang: 'fa' }, '۱۴:۰۵:۰۹٫۳'],
  [{ digits: '1', lang: 'en', 'hour-cycle': 'h23' }, '14:05:09.3'],
  [{ 'time-style': 'short' }, '14:05'],
  [{ 'time-zone': 'Asia/Kolkata' }, '19:35:09'],
  [{ 'time-zone': 'America/St_Johns' }, '10:35:09'],
  [{ lang: 'de-u-nu-thai' }, '๑๔:๐๕:๐๙']
]

for (const [attributes, expected] of formats) {
  test(`shows ${expected} with ${JSON.stringify(attributes)}`, (t) => {
    const { text } = setUp(t, { lang: 'de', 'time-zone': 'UTC', ...attributes })
    t.equal(text(), expected)
    t.end()
  })
}

test('is repainted on the second, and not in between', (t) => {
  const { text, time } = setUp(t, { lang: 'de', 'time-zone': 'UTC' })
  time.advance(629)
  t.equal(text(), '14:05:09')
  time.advance(1)
  t.equal(text(), '14:05:10')
  t.equal(time.pendingCount, 1)
  t.end()
})

test('with one digit, is repainted every tenth of a second', (t) => {
  const { text, time } = setUp(t, { lang: 'de', 'time-zone': 'UTC', digits: '1' })
  time.advance(29)
  t.equal(text(), '14:05:09,3')
  time.advance(1)
  t.equal(text(), '14:05:09,4')
  t.end()
})

test('shows no fractions if the user prefers reduced motion', (t) => {
  motion.matches = true
  t.teardown(() => { motion.matches = false })
  const { text } = setUp(t, { lang: 'de', 'time-zone': 'UTC', digits: '3' })
  t.equal(text(), '14:05:09')
  t.end()
})

test('follows its time zone through changes to and from summer time', (t) => {
  const { text, time, clock, element } = setUp(t, { lang: 'de', 'time-zone': 'Europe/Berlin' })
  clock.startMs = Date.UTC(2026, 2, 29, 0, 59, 59)
  clock.fire('step')
  t.equal(text(), '01:59:59')
  time.advance(1000)
  t.equal(text(), '03:00:00')
  clock.startMs = Date.UTC(2026, 9, 25, 0, 59, 58)
  clock.fire('step')
  t.equal(text(), '02:59:59')
  time.advance(1000)
  t.equal(text(), '02:00:00')
  element.setAttribute('time-style', 'long')
  t.equal(text(), '02:00:00 MEZ')
  t.end()
})

test('takes the language of the closest ancestor, even from outside a shadow tree', (t) => {
  const { element, text } = setUp(t, { 'time-zone': 'UTC', digits: '1', 'hour-cycle': 'h23' })
  const outer = new FakeElement()
  outer.setAttribute('lang', 'de')
  const host = new FakeElement()
  outer.append(host)
  host.attachShadow().append(element)
  t.equal(text(), '14:05:09,3')
  outer.setAttribute('lang', 'en')
  element.setAttribute('digits', '2')
  t.equal(text(), '14:05:09.37')
  element.setAttribute('lang', '')
  t.match(text(), /^14.05.09.37$/)
  t.end()
})

test('reflects its attributes as properties', (t) => {
  const element = new ServerTimeElement()
  const { timeZone, dateStyle, timeStyle, hourCycle, src, transport, digits } = element
  t.strictSame({ timeZone, dateStyle, timeStyle, hourCycle, src, transport, digits }, {
    timeZone: '', dateStyle: '', timeStyle: 'medium', hourCycle: '', src: '', transport: 'http', digits: 0
  })
  Object.assign(element, {
    timeZone: 'UTC', dateStyle: 'full', timeStyle: 'short', hourCycle: 'h23', src: '/x', digits: 2
  })
  const fake = element as unknown as FakeElement
  t.strictSame(Object.fromEntries(fake.attributes), {
    'time-zone': 'UTC', 'date-style': 'full', 'time-style': 'short', 'hour-cycle': 'h23', src: '/x', digits: '2'
  })
  t.equal(element.digits, 2)
  t.equal(element.timeZone, 'UTC')
  Object.assign(element, { timeZone: '', dateStyle: null, timeStyle: undefined })
  t.strictSame([...fake.attributes.keys()], ['hour-cycle', 'src', 'digits'])
  t.end()
})

/** A `<server-time>` in a page, with a clock that shows `MOMENT`. */
function setUp (t: Test, attributes: Record<string, string>) {
  const time = installFakeTime(t)
  const clock = new FakeClock(time, MOMENT)
  const element = new ServerTimeElement()
  const fake = element as unknown as FakeElement
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.clock = clock.asServerClock
  fake.connect()
  t.teardown(() => fake.remove())
  const text = () => fake.root?.children[1]?.textContent ?? ''
  return { time, clock, element: fake, text }
}
