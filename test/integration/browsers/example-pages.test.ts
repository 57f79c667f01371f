import { readFile } from 'node:fs/promises'
import type { BrowserContextOptions, Page, WebSocketRoute } from 'playwright-core'
import { t as file, test } from 'tap'
import { findBrowser, openPage } from '../../helpers/browsers/browser.js'
import { startExample } from '../../helpers/programs/example-process.js'
import { inspect } from '../../helpers/browsers/inspection.js'
import { waitFor } from '../../helpers/network/wait.js'
import { pathOf, ROOT } from '../../helpers/root.js'

/** What is needed of tap's test object. */
interface Test {
  equal (found: unknown, wanted: unknown): unknown
  strictSame (found: unknown, wanted: unknown): unknown
  teardown (callback: () => unknown): unknown
}

/** What the page has shown as its latest message. */
interface Message {
  text: string
  highlighted: boolean
}

/** What the page shows of its connection. */
interface Connection {
  status: string
  details: string
  /** Names of the buttons that can be pressed. */
  enabled: string[]
}

const PUBLIC = pathOf('example/public/')
const LECTURE_PAGE = new URL('test/fixtures/lecture/TimeSocketClient.html', ROOT)
const GREETING = 'Hi from Time Server!'
const REPLY = 'Got your message'
const ZONE = 'GMT+0000 (Coordinated Universal Time)'
const INTERVAL_MS = 5000

const FILE_LIMIT_MS = 600_000
file.setTimeout(FILE_LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${FILE_LIMIT_MS}`)

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('shows greeting, replies and times as text, and toggles the highlight', { skip }, async (t) => {
  const { page, problems, messages, closed, open } = await setUp(t)
  t.strictSame(await readConnection(page), closed)
  const startMs = Date.now()
  await openSocket(page)
  t.strictSame(await readConnection(page), open)
  const field = page.getByLabel('Message to the server')
  await field.fill('<b>hello</b>')
  await page.getByRole('button', { name: 'Send' }).click()
  await checkMessages(t, messages, startMs)
  const time = await page.locator('time').evaluate((element) => {
    return { text: element.textContent, datetime: element.getAttribute('datetime') }
  })
  t.equal(time.datetime, new Date(String(time.text)).toISOString())
  t.equal(await field.inputValue(), '', 'ready for the next message')
  t.strictSame(problems, [])
})

test('closes and opens again, and shows why the server has closed the connection', { skip }, async (t) => {
  const { page, problems, example, closed, open } = await setUp(t)
  await openSocket(page)
  await page.getByRole('button', { name: 'Close' }).click()
  await waitForStatus(page, 'Closed')
  t.strictSame(await readConnection(page), closed)
  await openSocket(page)
  await example.stop('SIGTERM')
  const goingAway = await waitForStatus(page, 'Closed: the server is shutting down')
  const details = 'Code 1001, “server shutting down”'
  t.strictSame(await readConnection(page), { ...closed, status: goingAway, details })
  t.strictSame(problems, [])

  await page.getByRole('button', { name: 'Open' }).click()
  const refused = await waitForStatus(page, 'Could not connect: is the server running?')
  t.strictSame(await readConnection(page), { ...closed, status: refused })
  t.match(problems, [/ERR_CONNECTION_REFUSED/], 'nothing but what the browser itself says')

  const restarted = await startExample(t, { PORT: String(example.port) })
  await openSocket(page)
  t.strictSame(await readConnection(page), open)
  await restarted.stop('SIGKILL')
  const lost = await waitForStatus(page, 'Closed: the connection was lost')
  t.strictSame(await readConnection(page), { ...closed, status: lost, details: 'Code 1006' })
})

test('is operated with the keyboard alone, and never loses the focus', { skip }, async (t) => {
  const { page, problems, example, received } = await setUp(t)
  const stops: string[] = []
  const press = async (key: string) => {
    await page.keyboard.press(key)
    stops.push(`${key}: ${await describeFocus(page)}`)
  }
  await press('Tab')
  await press('Enter')
  await waitForStatus(page, 'Open')
  await press('Tab')
  await page.keyboard.type('hello')
  await press('Enter')
  await received(2)
  await press('Shift+Tab')
  await press('Space')
  await waitForStatus(page, 'Closed')
  await press('Space')
  await waitForStatus(page, 'Open')
  await press('Tab')
  await press('Tab')
  await example.stop('SIGTERM')
  await waitForStatus(page, 'Closed: the server is shutting down')
  stops.push(`server gone: ${await describeFocus(page)}`)
  t.strictSame(stops, [
    'Tab: OpenB, visible',
    'Enter: CloseB, visible',
    'Tab: Text, visible',
    'Enter: Text, visible',
    'Shift+Tab: CloseB, visible',
    'Space: OpenB, visible',
    'Space: CloseB, visible',
    'Tab: Text, visible',
    'Tab: SendB, visible',
    'server gone: OpenB, visible'
  ])
  t.match(example.log().map(({ msg }) => msg).join(), 'Received message hello')
  t.strictSame(problems, [])
})

test('works with the unchanged page of the lecture', { skip }, async (t) => {
  const example = await startExample(t)
  const { page, problems } = await openPage(t, String(browser), { timePort: example.port })
  await page.goto('http://localhost:2112/')
  const { messages, received } = await recordMessages(page)
  await page.setContent(await readFile(LECTURE_PAGE, 'utf8'))
  await observe(page)
  const startMs = Date.now()
  await openSocket(page)
  await received(1)
  await page.evaluate('ws.send("hello")')
  await checkMessages(t, messages, startMs)
  await page.getByRole('button', { name: 'Close' }).click()
  await waitForStatus(page, 'Close')
  t.strictSame(problems, [])
})

test('gives assistive technology a name and a role for everything', { skip }, async (t) => {
  const { page } = await setUpPage(t)
  t.equal(await page.locator('html').getAttribute('lang'), 'en')
  t.equal(await page.locator('body').ariaSnapshot(), `\
- main:
  - heading "Time Socket Client" [level=1]
  - region "Connection":
    - button "Open"
    - button "Close" [disabled]
    - status: Closed
    - paragraph: wss://example.org/demo/
  - region "Latest message":
    - heading "Latest message" [level=2]
    - paragraph: None yet
  - text: Message to the server
  - textbox "Message to the server"
  - button "Send" [disabled]
  - paragraph:
    - link "An auction by the server’s clock":
      - /url: ./auction.html
    - text: ","
    - link "what the clock knows":
      - /url: ./clock.html`)
})

test('announces messages in full, but only the changed part of a time', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  const { received } = await recordMessages(page)
  const announced = await recordAnnouncements(page)
  await openSocket(page)
  server().send('not a time, and no <b>markup</b>')
  server().send(`Sun Nov 22 2026 23:59:55 ${ZONE}`)
  server().send(`Mon Nov 23 2026 00:00:00 ${ZONE}`)
  server().send(`Mon Nov 23 2026 00:00:05 ${ZONE}`)
  await received(4)
  t.strictSame(await announced(), [
    'not a time, and no <b>markup</b>',
    `Sun Nov 22 2026 23:59:55 ${ZONE}`,
    'Mon Nov 23 2026 00:00:00',
    '00:00:05'
  ])
})

test('is readable in every state, light and dark, narrow and wide', { skip }, async (t) => {
  const { page, server } = await setUpPage(t, 'http://localhost:2112/', { reducedMotion: 'reduce' })
  const { received } = await recordMessages(page)
  const defects = await inspect(page, 'closed')
  await openSocket(page)
  server().send(GREETING)
  await received(1)
  defects.push(...await inspect(page, 'greeted'))
  server().send(`Sun Nov 22 2026 15:00:05 ${ZONE}`)
  await received(2)
  defects.push(...await inspect(page, 'open'))
  await server().close({ code: 1001, reason: 'server shutting down' })
  await waitForStatus(page, 'Closed: the server is shutting down')
  defects.push(...await inspect(page, 'gone'))
  await page.locator('#Message').evaluate(({ classList }) => classList.toggle('highlight'))
  defects.push(...await inspect(page, 'gone-highlighted'))
  t.strictSame(defects, [])
})

test('connects to the folder of the page, encrypted if the page is', { skip }, async (t) => {
  const { page, server } = await setUpPage(t)
  await openSocket(page)
  t.equal(server().url(), 'wss://example.org/demo/')
})

/** The example, its page, and what that shows of a connection which is closed or open. */
async function setUp (t: Test) {
  const example = await startExample(t)
  const { page, problems } = await openPage(t, String(browser))
  await page.goto(`http://localhost:${example.port}/`)
  const details = `ws://localhost:${example.port}/`
  const closed: Connection = { status: 'Closed', details, enabled: ['Open'] }
  const open: Connection = { status: 'Open', details, enabled: ['Close', 'Send'] }
  return { example, page, problems, closed, open, ...await recordMessages(page) }
}

/**
 * The page alone, in a browser that plays the server.
 *
 * @returns with the page the server's end of the latest connection.
 */
async function setUpPage (
  t: Test, url = 'https://example.org/demo/', options: BrowserContextOptions = {}
) {
  const { page } = await openPage(t, String(browser), options)
  const servers: WebSocketRoute[] = []
  await page.routeWebSocket(/./, (server) => { servers.push(server) })
  await page.route(`${url}*`, (route) => route.fulfill({
    path: PUBLIC + new URL(route.request().url()).pathname.replace(/.*[/]/, '')
  }))
  await page.goto(`${url}TimeSocketClient.html?query#fragment`)
  return { page, server: () => servers.at(-1) as WebSocketRoute }
}

/** Records every latest message of the page. */
async function recordMessages (page: Page) {
  const messages: Message[] = []
  await page.exposeFunction('record', (message: Message) => messages.push(message))
  await observe(page)
  const received = (count: number) => waitFor(() => messages.length >= count, `message ${count}`)
  return { messages, received }
}

/** Waits until a reply and a time have followed the greeting, in any order; checks all messages. */
async function checkMessages (
  t: Test, messages: readonly Message[], startMs: number
): Promise<void> {
  const others = () => messages.slice(1).map(({ text }) => text)
  const isTick = (text: string) => isTickSince(startMs, text)
  await waitFor(() => others().includes(REPLY) && others().some(isTick), 'a reply and a time')
  t.equal(messages[0]?.text, GREETING)
  t.strictSame(others().filter((text) => !isTick(text)), [REPLY])
  t.strictSame(messages.map(({ highlighted }) => highlighted),
    messages.map((_message, index) => index % 2 === 0))
}

/** Whether this text is a tick sent since `startMs`: a late one may show an earlier time. */
function isTickSince (startMs: number, text: string): boolean {
  const timeMs = Date.parse(text)
  return new Date(timeMs).toString() === text && timeMs % INTERVAL_MS === 0 &&
    timeMs > startMs - INTERVAL_MS && timeMs <= Date.now()
}

/** Tells `record` of the messages of a document that has just been loaded. */
async function observe (page: Page): Promise<void> {
  await page.evaluate(() => {
    const element = document.getElementById('Message') as HTMLElement
    new MutationObserver(() => {
      const highlighted = element.classList.contains('highlight')
      Reflect.get(window, 'record')({ text: element.textContent, highlighted })
    }).observe(element, { attributes: true, attributeFilter: ['class'] })
  })
}

/** Records what is new each time in the latest message: what a screen reader says. */
async function recordAnnouncements (page: Page): Promise<() => Promise<string[]>> {
  const announced = await page.evaluateHandle(() => {
    const texts: string[] = []
    new MutationObserver((records) => {
      const added = records.flatMap(({ addedNodes }) => Array.from(addedNodes))
      const isOuter = (node: Node) =>
        !added.some((other) => other !== node && other.contains(node))
      texts.push(added.filter(isOuter).map(({ textContent }) => textContent).join(' '))
    }).observe(document.getElementById('Message') as HTMLElement, {
      childList: true, subtree: true
    })
    return texts
  })
  return () => announced.jsonValue()
}

async function openSocket (page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open' }).click()
  await waitForStatus(page, 'Open')
}

/** Waits until the page shows this status. */
async function waitForStatus (page: Page, text: string): Promise<string> {
  await page.locator('#Status').and(page.getByText(text, { exact: true })).waitFor()
  return text
}

async function readConnection (page: Page): Promise<Connection> {
  return {
    status: await page.locator('#Status').innerText(),
    details: await page.locator('#Details').innerText(),
    enabled: await page.getByRole('button', { disabled: false }).allInnerTexts()
  }
}

async function describeFocus (page: Page): Promise<string> {
  return await page.evaluate(() => {
    const focused = document.activeElement as Element
    const isVisible = getComputedStyle(focused).outlineStyle !== 'none'
    return `${focused.id}, ${isVisible ? 'visible' : 'invisible'}`
  })
}
