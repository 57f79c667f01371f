import type { BrowserContextOptions, Page, WebSocketRoute } from 'playwright-core'
import { t as file, test } from 'tap'
import type { Round } from '../../../example/rounds.js'
import { findBrowser, openPage } from '../../helpers/browsers/browser.js'
import { startExample } from '../../helpers/programs/example-process.js'
import { inspect } from '../../helpers/browsers/inspection.js'
import { waitFor } from '../../helpers/network/wait.js'
import { setDateWrong } from '../../helpers/browsers/wrong-date.js'
import { pathOf } from '../../helpers/root.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

interface SetUpOptions extends BrowserContextOptions {
  /** By how much the device's clock is wrong. */
  wrongMs?: number
  /** How long a round lasts. Its last sixth is the last moment, and as long is the pause. */
  roundS?: number
}

/** For pages to which the browser plays the server. */
const PLAYED_PAGE = 'http://auction.localhost/auction.html'
const MINUTE_MS = 60_000
/** More than a round and its pause, on a busy machine. */
const LIMIT_MS = 240_000
const LOOK_EVERY_MS = 100
const FILE_LIMIT_MS = 600_000

file.setTimeout(FILE_LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${FILE_LIMIT_MS}`)

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('shows the server\'s time with its error bound, however wrong the device\'s clock is', { skip }, async (t) => {
  const { page, problems, setDate } = await setUp(t, { wrongMs: -7 * MINUTE_MS })
  await shows(page, 'Bound', /^± [\d.]+ ms at most$/)
  await shows(page, 'Device', '7.0 min behind')
  await waitForPage(async () => await read(page, 'Seconds') === timeOfDay(), 'showing the time')
  await setDate(3 * MINUTE_MS)
  await shows(page, 'Device', '3.0 min ahead')
  await waitForPage(async () => await read(page, 'Seconds') === timeOfDay(), 'showing the time still')
  t.strictSame(problems, [])
})

test('shows that the time is not known until the server has answered', { skip }, async (t) => {
  const { page } = await setUpPage(t)
  await shows(page, 'Bound', 'Not known yet: your device’s own time')
  t.equal(await read(page, 'Device'), 'Not known yet')
  t.equal(await page.locator('main').getAttribute('data-synced'), null)
})

test('two pages bid, a late bid postpones the end, and both pages see the sale', { skip }, async (t) => {
  const { page: one, problems, example } = await setUp(t, { roundS: 90 })
  const { page: two, problems: others } = await openAuction(t, example.port, 5 * MINUTE_MS)
  await phase(one, 'open')
  await bid(one, 'Ada', 20)
  await Promise.all([shows(one, 'Leader', 'Ada: you'), shows(two, 'Leader', 'Ada')])
  t.equal(await read(two, 'News'), 'Ada leads with € 20')
  t.equal(await two.getByLabel('Your bid, €').inputValue(), '30', 'ready to bid more')
  await bid(two, 'Bob', 20)
  await shows(two, 'News', 'Too low: 20 is bid already')
  // In the pages: a busy machine may take longer to control them than the last moment lasts.
  const [ofOne, ofTwo] = await Promise.all([
    recordRound(one, {}), recordRound(two, { last: 30, over: 40 })
  ])
  await waitForPage(async () => (await ofOne()).fallenAt > 0, 'the fall of the hammer')
  await waitForPage(async () => (await ofTwo()).news.includes('Wait for the next lot'), 'the late bid')
  const [first, second] = await Promise.all([ofOne(), ofTwo()])
  t.ok([first, second].every(({ wasExtended }) => wasExtended), 'both pages show the extension')
  // In between there is what the two do not know of the server's clock, and a timer each.
  const apartMs = Math.abs(first.fallenAt - second.fallenAt)
  t.ok(apartMs < 10_000, `${apartMs} ms apart, with clocks that differ by minutes`)
  t.ok(first.news.includes('Sold to Bob for € 30'))
  const soldAt = second.news.indexOf('Sold to you for € 30')
  t.strictSame(second.news.slice(soldAt).slice(1, 2), ['Wait for the next lot'])
  t.strictSame([...problems, ...others], [])
})

test('keeps the time while the server is unreachable, and reconnects', { skip }, async (t) => {
  // So long that no moment of a round is announced in between.
  const { page, example } = await setUp(t, { roundS: 900 })
  await shows(page, 'Bound', /^±/)
  await example.stop('SIGKILL')
  await shows(page, 'Status', 'Connection lost: trying again…')
  await waitForPage(async () => await read(page, 'Seconds') === timeOfDay(), 'showing the time still')
  await bid(page, 'Ada', 20)
  t.equal(await read(page, 'News'), 'Not connected: nothing can be bid')
  await startExample(t, { PORT: String(example.port) })
  await shows(page, 'Status', 'Connected')
  await shows(page, 'News', /^On sale: /)
  await bid(page, 'Ada', 20)
  await shows(page, 'Leader', 'Ada: you')
})

test('shows that the page is offline, and reconnects', { skip }, async (t) => {
  const { page, example } = await setUp(t)
  await shows(page, 'Status', 'Connected')
  await page.context().setOffline(true)
  await example.stop('SIGKILL')
  await shows(page, 'Status', 'Offline: will connect when the network is back')
  await startExample(t, { PORT: String(example.port) })
  await page.context().setOffline(false)
  await shows(page, 'Status', 'Connected')
})

test('announces what is new to assistive technology, but not every second', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  const { say } = serveTime(server())
  await shows(page, 'Status', 'Connected')
  const said = await recordAnnouncements(page)
  const round = createRound()
  say({ round })
  await shows(page, 'Bound', /^±/)
  say({ round: { ...round, amount: 20, leader: 'Bob' } })
  await shows(page, 'Leader', 'Bob')
  const seconds = await read(page, 'Seconds')
  await waitForPage(async () => await read(page, 'Seconds') > seconds, 'the next second')
  say({ round: { ...round, amount: 20, leader: 'Bob', lastMs: 700_000 } })
  await phase(page, 'last')
  say({ round: { ...round, amount: 20, leader: 'Bob', isOver: true } })
  await phase(page, 'over')
  t.strictSame(await said(), [
    'On sale: A clock', 'Bob leads with € 20', 'Last chance: a bid now adds time',
    'Sold to Bob for € 20'
  ])
  t.equal(await page.getByRole('timer').count(), 2, 'which are no live regions')
})

test('is operated with the keyboard alone, and never loses the focus', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  const { say, heard } = serveTime(server())
  const round = createRound()
  say({ round })
  await phase(page, 'open')
  const stops: string[] = []
  const focused = () => page.evaluate(() => document.activeElement?.id)
  for (let count = 0; count < 3; count++) {
    await page.keyboard.press('Tab')
    stops.push(String(await focused()))
  }
  t.strictSame(stops, ['Name', 'Bid', 'BidB'])
  await page.keyboard.press('Space')
  await waitFor(() => heard.length > 0, 'the bid')
  t.match(heard, [{ round: round.id, amount: 10, name: /^\w+ \d\d$/ }])
  say({ round: { ...round, isOver: true } })
  await phase(page, 'over')
  t.equal(await focused(), 'BidB', 'though nothing can be bid')
})

test('shows no animations if the user prefers reduced motion', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  serveTime(server()).say({ round: { ...createRound(), lastMs: 700_000 } })
  await phase(page, 'last')
  t.match(await read(page, 'Left'), /^\d+:\d\d$/)
  t.equal(await read(page, 'Tenths'), '')
})

test('is readable in every state, light and dark, narrow and wide', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  const defects = await inspect(page, 'auction-connecting')
  const { say } = serveTime(server())
  const round = createRound()
  say({ round })
  await shows(page, 'Bound', /^±/)
  defects.push(...await inspect(page, 'auction-open'))
  say({ round: { ...round, amount: 123_456, leader: 'Wolfeschlegelsteinha', extensions: 12 } })
  await shows(page, 'Amount', '€\u00a0123456')
  defects.push(...await inspect(page, 'auction-bid'))
  say({ round: { ...round, amount: 20, leader: 'Ada', lastMs: 700_000, extensions: 1 } })
  await phase(page, 'last')
  defects.push(...await inspect(page, 'auction-last'))
  say({ round: { ...round, amount: 20, leader: 'Ada', extensions: 1, isOver: true } })
  await phase(page, 'over')
  defects.push(...await inspect(page, 'auction-over'))
  await server().close({ code: 1001 })
  await shows(page, 'Status', 'Connection lost: trying again…')
  defects.push(...await inspect(page, 'auction-lost'))
  t.strictSame(defects, [])
})

test('the first bid moves nothing in a narrow page', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  await page.setViewportSize({ width: 390, height: 720 })
  const { say } = serveTime(server())
  const round = createRound()
  const topOfBar = async () => (await page.locator('#Bar').boundingBox())?.y
  say({ round })
  await shows(page, 'Amount', 'None')
  // Until then, what the page says of its clock takes a second line.
  await shows(page, 'Bound', /^±/)
  const top = await topOfBar()
  say({ round: { ...round, amount: 20, leader: 'Ada' } })
  await shows(page, 'Amount', '€\u00a020')
  t.equal(await topOfBar(), top)
})

/** The example, and its page. */
async function setUp (t: Test, { wrongMs = 0, roundS = 12, ...options }: SetUpOptions = {}) {
  const example = await startExample(t, { PORT: '0', ROUND: String(roundS) })
  return { example, ...await openAuction(t, example.port, wrongMs, options) }
}

async function openAuction (
  t: Test, port: number, wrongMs: number, options: BrowserContextOptions = {}
) {
  // No test here looks at the tenths of a second, and drawing them is slow.
  const { page, problems } = await openPage(t, String(browser), {
    reducedMotion: 'reduce', ...options
  })
  const setDate = await setDateWrong(page, wrongMs)
  await page.goto(`http://localhost:${port}/auction.html`)
  return { page, problems, setDate }
}

/** The page alone, in a browser that plays the server. @returns the latest connection's end. */
async function setUpPage (t: Test) {
  const { page } = await openPage(t, String(browser))
  const servers: WebSocketRoute[] = []
  await page.routeWebSocket(/./, (server) => { servers.push(server) })
  await page.route('**', (route) => route.fulfill({
    path: fileOf(new URL(route.request().url()).pathname)
  }))
  await page.goto(PLAYED_PAGE)
  return { page, server: () => servers.at(-1) as WebSocketRoute }
}

/**
 * Speaks as much of `time.v1` as the page needs.
 *
 * @returns sends a message of the application's, and has what the page has sent.
 */
function serveTime (server: WebSocketRoute) {
  const send = (message: object) => server.send(JSON.stringify(message))
  const heard: object[] = []
  server.onMessage((text) => {
    const { type, id, data } = JSON.parse(String(text))
    if (type === 'sync') send({ type, id, at: Date.now(), hold: 0, clockSteps: 0 })
    else heard.push(data)
  })
  send({ type: 'hello', server: 'k3f9x2ab', interval: 1000, clockSteps: 0 })
  return { heard, say: (data: object) => send({ type: 'message', data }) }
}

/** A round that goes on for ten minutes. */
function createRound (): Round {
  const id = Date.now() - 400_000
  return {
    id,
    lot: 'A clock',
    amount: 0,
    leader: '',
    endsAt: id + 1_000_000,
    lastMs: 9000,
    extensions: 0,
    isOver: false
  }
}

function fileOf (path: string): string {
  return path === '/auction/time/client.js'
    ? pathOf('dist/served/client.js')
    : pathOf(`example/public${path}`)
}

async function bid (page: Page, name: string, amount: number): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Your bid, €').fill(String(amount))
  await page.keyboard.press('Enter')
}

/** The server's time of day: this machine's, in UTC as the browser's. */
function timeOfDay (): string {
  return new Date().toISOString().slice(11, 19)
}

async function read (page: Page, id: string): Promise<string> {
  return await page.locator(`#${id}`).innerText()
}

/** Each look costs three processes some milliseconds. */
async function waitForPage (condition: () => Promise<boolean>, what: string): Promise<void> {
  await waitFor(condition, what, LIMIT_MS, LOOK_EVERY_MS)
}

/** Waits until an element shows this text. */
async function shows (page: Page, id: string, text: string | RegExp): Promise<void> {
  await waitForPage(async () => {
    const shown = await read(page, id)
    return typeof text === 'string' ? shown === text : text.test(shown)
  }, `showing ${text}`)
}

async function phase (page: Page, name: string): Promise<void> {
  await page.locator(`[data-phase="${name}"]`).waitFor({ timeout: LIMIT_MS })
}

/** What a page has shown, up to the fall of the hammer. */
interface RoundRecord {
  readonly news: readonly string[]
  readonly wasExtended: boolean
  /** When the hammer fell, by this machine's clock, not the page's own; 0 before that. */
  readonly fallenAt: number
}

/**
 * Records what the page shows in this round.
 *
 * @param bids the amounts that the page bids as soon as it shows these phases.
 */
async function recordRound (
  page: Page, bids: { last?: number, over?: number }
): Promise<() => Promise<RoundRecord>> {
  const record = await page.evaluateHandle((bids) => {
    const find = (selector: string) => document.querySelector(selector) as HTMLElement
    const [auction, news, extended] = ['.auction', '#News', '#Extended'].map(find) as [
      HTMLElement, HTMLElement, HTMLElement
    ]
    const record = { news: [] as string[], wasExtended: false, fallenAt: 0 }
    let phase = auction.dataset.phase
    new MutationObserver(() => {
      if (record.fallenAt === 0) record.wasExtended ||= String(extended.textContent).startsWith('Extended')
      const text = String(news.textContent)
      if (record.news.at(-1) !== text) record.news.push(text)
      if (auction.dataset.phase === phase) return
      phase = auction.dataset.phase
      if (phase === 'over' && record.fallenAt === 0) {
        record.fallenAt = performance.timeOrigin + performance.now()
      }
      const amount = bids[phase as keyof typeof bids]
      if (amount === undefined) return
      (find('#Bid') as HTMLInputElement).value = String(amount)
      ;(find('#BidForm') as HTMLFormElement).requestSubmit()
    }).observe(auction, { attributes: true, childList: true, characterData: true, subtree: true })
    return record
  }, bids)
  return () => record.jsonValue()
}

/** Records what live regions say. */
async function recordAnnouncements (page: Page): Promise<() => Promise<string[]>> {
  const said = await page.evaluateHandle(() => {
    const texts: string[] = []
    for (const region of document.querySelectorAll('[role=status], [aria-live]')) {
      new MutationObserver(() => { texts.push(String(region.textContent)) })
        .observe(region, { childList: true, characterData: true, subtree: true })
    }
    return texts
  })
  return () => said.jsonValue()
}
