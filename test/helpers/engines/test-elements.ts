import type { Test } from 'tap'
import type { ServerTimeElement } from '../../../src/elements/index.js'
import type { EnginePage } from './engines.js'

const LANGUAGES = ['ar', 'de', 'en', 'fa', 'ja', 'th']

/** Tests the elements alone, in a page of `startSite()`. */
export async function testElements (
  t: Test, { page, origin }: { page: EnginePage, origin: string }
): Promise<void> {
  const open = (path: string) => page.goto(`${origin}/${path}`)

  await t.test('show the time and the rest in each language, as Intl writes it', async (t) => {
    await openElements(page, open)
    for (const language of LANGUAGES) {
      const { shown, expected } = await page.evaluate(showInLanguage, language)
      t.strictSame(shown, expected, language)
    }
  })

  await t.test('show the hour that a time zone repeats twice', async (t) => {
    const texts = await page.evaluate(() => {
      const clock = new window.StoppedClock(Date.UTC(2026, 9, 25, 0, 59, 59))
      const zone = { lang: 'de', 'time-zone': 'Europe/Berlin' }
      const element = window.addElement('server-time', zone, clock)
      const texts = [window.textOf(element)]
      for (const second of [0, 3600]) {
        clock.set(Date.UTC(2026, 9, 25, 1, 0, second))
        texts.push(window.textOf(element))
      }
      return texts
    })
    t.strictSame(texts, ['02:59:59', '02:00:00', '03:00:00'])
  })

  await t.test('keep their clock when moved and cloned, and release it when removed', async (t) => {
    await openElements(page, open)
    t.strictSame(await page.evaluate(moveElements), {
      innerHTML: true, moved: 'open', clone: true, reattached: true, afterRemoval: 'closed', anew: 'open'
    })
  })

  await t.test('take over properties that were set before they were defined', async (t) => {
    await open('elements')
    await page.until(() => window.isReady, 'the page of elements')
    const [text, to] = await page.evaluate(async () => {
      const early = document.createElement('server-countdown')
      document.body.append(early)
      const nowMs = Date.UTC(2030, 0, 1)
      Object.assign(early, { lang: 'en', to: nowMs + 65_000, clock: new window.StoppedClock(nowMs) })
      await window.loadElements()
      return [window.textOf(early), early.getAttribute('to')]
    })
    t.strictSame([text, to], ['01:05', String(Date.UTC(2030, 0, 1, 0, 1, 5))])
  })

  await t.test('fire due once for each instant, also one that was changed', async (t) => {
    await openElements(page, open)
    t.strictSame(await page.evaluate(countDueEvents), {
      beforeDue: 0,
      afterDue: 1,
      afterAnother: 2,
      early: false,
      text: '00:00',
      isDue: true,
      past: 1,
      farText: true,
      farDue: 0
    })
  })

  await t.test('report a wrong attribute once, and show the fallback', async (t) => {
    const found = await page.evaluate(async () => {
      const elements = ['tomorrow', 'tomorrow', '1893456000'].map((to) => (
        window.addElement('server-countdown', { to })
      ))
      await window.until(() => elements.every(({ dataset }) => dataset.state?.includes('invalid')))
      await new Promise((resolve) => setTimeout(resolve))
      return {
        states: elements.map(({ dataset }) => dataset.state?.includes('invalid')),
        texts: elements.map(window.textOf),
        reports: window.reports
      }
    })
    t.strictSame([found.states, found.texts], [[true, true, true], [null, null, null]])
    const said = (value: string) => '<server-countdown> expects "to" to be ISO 8601 with "Z" or an ' +
      `offset, or ms since the Unix epoch, got "${value}"`
    t.equal(found.reports.length, 2, String(found.reports))
    for (const [index, value] of ['tomorrow', '1893456000'].entries()) {
      t.ok(found.reports[index]?.includes(said(value)), `${found.reports[index]}`)
    }
  })

  await t.test('work under a strict policy, with trusted types', async (t) => {
    await openElements(page, open, 'strict')
    const found = await page.evaluate(async () => {
      const elements = [
        window.addElement('server-time', { digits: 1 }),
        window.addElement('server-countdown', { to: Date.now() + 5000, format: 'words' })
      ] as const
      await window.until(() => elements.every(({ dataset }) => dataset.state === 'synced'))
      return {
        states: elements.map(({ dataset }) => dataset.state),
        display: getComputedStyle(elements[0]).display,
        reports: window.reports
      }
    })
    t.strictSame(found, { states: ['synced', 'synced'], display: 'inline-block', reports: [] })
  })
}

async function openElements (
  page: EnginePage, open: (path: string) => Promise<void>, path = 'elements'
): Promise<void> {
  await open(path)
  await page.until(() => window.isReady, 'the page of elements')
  await page.evaluate(async () => { await window.loadElements() })
}

/** Runs in a page: what elements show in a language, and what `Intl` of the same browser writes. */
function showInLanguage (language: string) {
  const nowMs = Date.UTC(2030, 0, 31, 15, 4, 5, 678)
  const clock = new window.StoppedClock(nowMs)
  const timeZone = 'Asia/Tokyo'
  const number = (value: number, minimumIntegerDigits = 1) => (
    new Intl.NumberFormat(language, { minimumIntegerDigits }).format(value)
  )
  const full = window.addElement('server-time', {
    lang: language, 'time-zone': timeZone, 'date-style': 'full'
  }, clock)
  const tenths = window.addElement('server-time', {
    lang: language, 'time-zone': timeZone, digits: 1
  }, clock)
  const rest = { lang: language, to: nowMs + 2 * 86_400_000 + 3_723_000 }
  const digits = window.addElement('server-countdown', rest, clock)
  const words = window.addElement('server-countdown', { ...rest, format: 'words' }, clock)
  const part = full.shadowRoot?.querySelector<HTMLElement>('[part=time]')
  const countdown = window.textOf(digits) ?? ''
  const duration = { days: 2, hours: 1, minutes: 2, seconds: 3 }
  const second = new Intl.NumberFormat(language, {
    minimumIntegerDigits: 2, minimumFractionDigits: 1
  }).format(5.6)
  return {
    shown: {
      full: window.textOf(full),
      hasTenths: window.textOf(tenths)?.includes(second),
      title: part?.title,
      numerals: [1, 2, 3].every((value) => countdown.includes(number(value, 2))),
      hasDays: countdown.startsWith(new Intl.NumberFormat(language, {
        style: 'unit', unit: 'day', unitDisplay: 'long'
      }).format(2)),
      words: 'DurationFormat' in Intl ? window.textOf(words) : 'digits'
    },
    expected: {
      full: new Intl.DateTimeFormat(language, {
        timeZone, dateStyle: 'full', timeStyle: 'medium'
      }).format(nowMs),
      hasTenths: true,
      title: `± ${new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond' }).format(13)}`,
      numerals: true,
      hasDays: true,
      words: 'DurationFormat' in Intl
        ? new Intl.DurationFormat(language, { style: 'long' }).format(duration)
        : 'digits'
    }
  }
}

/** Runs in a page. */
async function moveElements () {
  const box = document.createElement('p')
  document.body.append(box)
  box.innerHTML = '<server-time>fallback</server-time>'
  const element = box.firstElementChild as ServerTimeElement
  const isSynced = (one: ServerTimeElement) => one.dataset.state === 'synced'
  await window.until(() => isSynced(element))
  const innerHTML = window.textOf(element) !== undefined
  const { clock } = element

  document.body.append(element)
  const moved = element.clock === clock ? clock?.state : 'another'
  const clone = element.cloneNode(true) as ServerTimeElement
  box.append(clone)
  const isCloned = clone.clock === clock && isSynced(clone)
  // The other one shows a new second later than the clone if its timer is late.
  await window.until(() => window.textOf(clone) === window.textOf(element))
  clone.remove()

  element.remove()
  await new Promise((resolve) => setTimeout(resolve, 300))
  document.body.append(element)
  const reattached = element.clock === clock && isSynced(element)

  element.remove()
  await window.until(() => clock?.state === 'closed')
  const afterRemoval = clock?.state
  document.body.append(element)
  await window.until(() => element.clock !== clock && isSynced(element))
  return { innerHTML, moved, clone: isCloned, reattached, afterRemoval, anew: element.clock?.state }
}

/** Runs in a page: countdowns of real clocks. */
async function countDueEvents () {
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  const inTenYears = Date.now() + 3652.5 * 86_400_000
  const far = window.addElement('server-countdown', { to: inTenYears, lang: 'en' })
  const element = window.addElement('server-countdown', { to: Date.now() + 600_000, lang: 'en' })
  let count = 0
  let early = false
  let farDue = 0
  far.addEventListener('due', () => { farDue++ })
  element.addEventListener('due', () => {
    count++
    early ||= (element.clock?.now() ?? 0) < Number(element.to)
  })
  const { clock } = element
  await clock?.ready()
  // It is changed while it runs, so that the first instant never comes.
  element.to = Math.ceil(clock?.now() ?? 0) + 700
  await pass(200)
  const beforeDue = count
  await window.until(() => count > 0)
  await pass(300)
  const afterDue = count
  const [text, isDue] = [window.textOf(element), element.dataset.state?.includes('due')]
  element.to = Math.ceil(clock?.now() ?? 0) + 300
  await window.until(() => count > 1)
  await pass(300)

  let past = 0
  const late = document.createElement('server-countdown')
  late.addEventListener('due', () => { past++ })
  late.setAttribute('to', '2020-01-01T00:00:00Z')
  document.body.append(late)
  await window.until(() => past > 0)
  await pass(200)
  return {
    beforeDue,
    afterDue,
    afterAnother: count,
    early,
    text,
    isDue,
    past,
    farText: /^3,65[23] days \d\d:\d\d:\d\d$/.test(window.textOf(far) ?? ''),
    farDue
  }
}
