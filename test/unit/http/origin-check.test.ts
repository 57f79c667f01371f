import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { canonicalOrigin } from '../../../src/util/origins.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { openRaw, request, tryUpgrade, upgradeRequest } from '../../helpers/network/raw.js'

type Test = Parameters<typeof createTimeApp>[0]
type Rule = TimeSocketOptions['origin']

interface Asked {
  host?: string
  headers?: readonly string[]
  origin?: Rule
  trustProxy?: boolean | string
}

/** The statuses of an upgrade and of a plain GET, and the log. */
async function ask (t: Test, { host = 'a.org', headers = [], origin, trustProxy = false }: Asked) {
  const options = { origin, shutdown: { grace: 50 }, immediate: false }
  const { app, log } = await createTimeApp(t, options, { trustProxy })
  const port = await listen(app)
  const answers: string[] = []
  for (const bytes of [
    upgradeRequest('/time', { host, headers }),
    request('/time', { host, headers: [...headers, 'Connection: close'] })
  ]) {
    const peer = openRaw(port, bytes)
    await peer.answered
    answers.push(peer.text)
  }
  return { statuses: answers.map((answer) => Number(answer.slice(9, 12))), answers, log }
}

const [ALLOWED, FORBIDDEN] = [[101, 200], [403, 403]]

const sameOrigin: [title: string, host: string, origins: string[], isAllowed: boolean][] = [
  ['no origin', 'a.org', [], true],
  ['its own', 'a.org', ['http://a.org'], true],
  ['its own by https: a proxy hides the scheme', 'a.org', ['https://a.org'], true],
  ['its own with a port', 'a.org:3000', ['http://a.org:3000'], true],
  ['its own in capitals', 'a.org', ['HTTP://A.ORG'], true],
  ['its own, the host in capitals', 'A.Org', ['http://a.org'], true],
  ['its own with http\'s default port', 'a.org', ['http://a.org:80'], true],
  ['its own with https\'s default port', 'a.org', ['https://a.org:443'], true],
  ['its own, the host with http\'s default port', 'a.org:80', ['http://a.org'], true],
  ['its own, the host with https\'s default port', 'a.org:443', ['https://a.org'], true],
  ['an IPv4 address', '127.0.0.1:3000', ['http://127.0.0.1:3000'], true],
  ['an IPv6 address', '[::1]:3000', ['http://[::1]:3000'], true],
  ['an IPv6 address without a port', '[2001:db8::1]', ['https://[2001:db8::1]'], true],
  ['an internationalised name, encoded', 'xn--bcher-kva.example', ['https://xn--bcher-kva.example'], true],
  ['its own with a trailing dot on both sides', 'a.org.', ['http://a.org.'], true],
  ['an empty origin', 'a.org', [''], false],
  ['null', 'a.org', ['null'], false],
  ['null, to a host of that name', 'null', ['null'], false],
  ['another', 'a.org', ['http://b.org'], false],
  ['a suffix of its own', 'a.org', ['http://org'], false],
  ['an origin that ends with its own', 'a.org', ['http://evil-a.org'], false],
  ['an origin that starts with its own', 'a.org', ['http://a.org.evil.com'], false],
  ['a subdomain', 'a.org', ['http://www.a.org'], false],
  ['its parent', 'www.a.org', ['http://a.org'], false],
  ['another port', 'a.org:3000', ['http://a.org:3001'], false],
  ['no port where the host has one', 'a.org:3000', ['http://a.org'], false],
  ['a port where the host has none', 'a.org', ['http://a.org:3000'], false],
  ['the other scheme\'s default port', 'a.org', ['http://a.org:443'], false],
  ['the host with the other scheme\'s default port', 'a.org:443', ['http://a.org'], false],
  ['a trailing dot', 'a.org', ['http://a.org.'], false],
  ['the host with a trailing dot', 'a.org.', ['http://a.org'], false],
  ['credentials', 'a.org', ['http://user@a.org'], false],
  ['its own as credentials', 'a.org', ['http://a.org@evil.com'], false],
  ['credentials in the host', 'user@a.org', ['http://a.org'], false],
  ['a trailing slash', 'a.org', ['http://a.org/'], false],
  ['a path', 'a.org', ['http://a.org/page'], false],
  ['a backslash', 'a.org', ['http:\\\\a.org'], false],
  ['a query', 'a.org', ['http://a.org?'], false],
  ['a fragment', 'a.org', ['http://a.org#'], false],
  ['no scheme', 'a.org', ['a.org'], false],
  ['no slashes', 'a.org', ['http:a.org'], false],
  ['an empty port', 'a.org', ['http://a.org:'], false],
  ['a port with a leading zero', 'a.org', ['http://a.org:080'], false],
  ['another scheme', 'a.org', ['ws://a.org'], false],
  ['an extension\'s', 'a.org', ['chrome-extension://a.org'], false],
  ['a short IPv4 address', '127.0.0.1', ['http://127.1'], false],
  ['an internationalised name, not encoded', 'xn--bcher-kva.example', ['https://b\u00fccher.example'], false],
  ['a percent-encoded name', 'a.org', ['http://%61.org'], false],
  ['a blank inside', 'a.org', ['http://a.org http://b.org'], false],
  ['a tab inside', 'a.org', ['http://a\t.org'], false],
  ['several in one header', 'a.org', ['http://a.org, http://b.org'], false],
  ['several headers', 'a.org', ['http://a.org', 'http://b.org'], false],
  ['its own twice', 'a.org', ['http://a.org', 'http://a.org'], false]
]

for (const [title, host, origins, isAllowed] of sameOrigin) {
  test(`on a real port, by default ${isAllowed ? 'admits' : 'refuses'} ${title}`, async (t) => {
    const { statuses } = await ask(t, { host, headers: origins.map((origin) => `Origin: ${origin}`) })
    t.strictSame(statuses, isAllowed ? ALLOWED : FORBIDDEN)
  })
}

test('no origin is the same as that of a request without a host', async (t) => {
  const { app } = await createTimeApp(t)
  const headers = { host: '', origin: 'http://' }
  t.equal((await app.inject({ url: '/time', headers })).statusCode, 403)
})

test('refuses an origin in HTTP/1.0 without a Host header, and names no host', async (t) => {
  const { app } = await createTimeApp(t)
  const peer = openRaw(await listen(app), 'GET /time HTTP/1.0\r\nOrigin: http://a.org\r\n\r\n')
  t.match(await peer.ended, /^HTTP\/1\.1 403 [^]*may not use the time socket of host ''/)
})

const FORWARDED = ['X-Forwarded-Host: a.org', 'Origin: https://a.org']

const forwarded: [
  title: string, trustProxy: boolean | string, headers: string[], isAllowed: boolean
][] = [
  ['of a trusted proxy is the host', true, FORWARDED, true],
  ['of a trusted proxy replaces the host', true, [FORWARDED[0] ?? '', 'Origin: http://inner'], false],
  ['is ignored without trustProxy', false, FORWARDED, false],
  ['of a peer that is not trusted is ignored', '192.0.2.0/24', FORWARDED, false],
  ['of a trusted address is the host', '127.0.0.1', FORWARDED, true],
  ['counts by its last value, the proxy\'s own', true,
    ['X-Forwarded-Host: a.org, b.org', 'Origin: https://a.org'], false]
]

for (const [title, trustProxy, headers, isAllowed] of forwarded) {
  test(`X-Forwarded-Host ${title}`, async (t) => {
    const { statuses } = await ask(t, { host: 'inner', headers, trustProxy })
    t.strictSame(statuses, isAllowed ? ALLOWED : FORBIDDEN)
  })
}

const LIST = ['https://b.org', 'http://c.org:8080']

const listed: [title: string, rule: Rule, origin: string | undefined, isAllowed: boolean][] = [
  ['a list admits an origin that it contains', LIST, 'https://b.org', true],
  ['a list admits an origin in another spelling', LIST, 'HTTPS://B.ORG:443', true],
  ['a list compares ports', LIST, 'http://c.org', false],
  ['a list compares schemes', LIST, 'http://b.org', false],
  ['a list refuses an origin that it does not contain, even the server\'s own', LIST, 'http://a.org', false],
  ['a list refuses null', LIST, 'null', false],
  ['a list that contains null admits null', [...LIST, 'null'], 'null', true],
  ['a list passes requests without origin', LIST, undefined, true],
  ['a list refuses an empty origin', LIST, '', false],
  ['an empty list refuses all', [], 'http://a.org', false],
  ['an empty list passes requests without origin', [], undefined, true],
  ['* admits all', '*', 'http://evil.com', true],
  ['* admits null', '*', 'null', true],
  ['* admits an extension', '*', 'chrome-extension://abc', true],
  ['a function admits', (origin) => origin.endsWith('.b.org'), 'https://x.b.org', true],
  ['a function refuses', (origin) => origin.endsWith('.b.org'), 'https://b.org', false],
  ['a function is not called without an origin', () => false, undefined, true],
  ['a function gets the origin as the browser sent it', (origin) => origin === 'HTTP://B.org:80', 'HTTP://B.org:80', true],
  ['a function gets the request', (_origin, { url, headers }) => `${url} ${headers.host}` === '/time a.org', 'x', true]
]

for (const [title, origin, header, isAllowed] of listed) {
  test(title, async (t) => {
    const headers = header === undefined ? [] : [`Origin: ${header}`]
    const { statuses } = await ask(t, { origin, headers })
    t.strictSame(statuses, isAllowed ? ALLOWED : FORBIDDEN)
  })
}

test('a list is copied at registration', async (t) => {
  const origin = ['https://b.org']
  const { app } = await createTimeApp(t, { origin })
  origin.push('https://c.org')
  const headers = { origin: 'https://c.org' }
  t.equal((await app.inject({ url: '/time', headers })).statusCode, 403)
})

const mistakes: [title: string, rule: () => unknown, message: RegExp][] = [
  ['throws', () => { throw new Error('password hunter2') }, /^password hunter2$/],
  ['returns undefined', () => {}, /^the result of the time socket option "origin" must be a boolean, got undefined/],
  ['returns the -1 of indexOf', () => -1, /^the result of the time socket option "origin" must be a boolean, got -1/],
  ['returns a promise', async () => true, /^the result of the time socket option "origin" must be a boolean, got Promise/],
  ['rejects', async () => { throw new Error('password hunter2') }, /^the result of the time socket option "origin" must be/]
]

for (const [title, rule, message] of mistakes) {
  test(`a function that ${title} admits nobody: 500, no detail, and a log line`, async (t) => {
    const { statuses, answers, log } = await ask(t, {
      origin: rule as () => boolean, headers: ['Origin: http://a.org']
    })
    t.strictSame(statuses, [500, 500])
    t.notMatch(answers.join(), /hunter2|Promise|allow-origin/)
    const errors = log.lines.filter(({ level }) => level === 50)
    t.strictSame(errors.map(({ err }) => message.test((err as Error).message)), [true])
  })
}

test('calls a function once per request', async (t) => {
  let count = 0
  const { app } = await createTimeApp(t, { origin: () => { count++; return true } })
  await app.inject({ url: '/time', headers: { origin: 'http://b.org' } })
  t.equal(count, 1)
})

test('refuses before the route\'s hooks, with a coded body, and ends the connection', async (t) => {
  const { app, log } = await createTimeApp(t, {
    route: { onRequest: async () => { t.fail('asked') } },
    maxClients: 1
  })
  const port = await listen(app)
  const headers = ['Origin: http://b.org']
  for (const bytes of [upgradeRequest('/time', { headers }), request('/time', { headers })]) {
    const [head = '', body = ''] = (await openRaw(port, bytes).ended).split('\r\n\r\n')
    t.match(head, /^HTTP\/1\.1 403 Forbidden\r\n[^]*connection: close/i)
    t.strictSame(JSON.parse(body), {
      statusCode: 403,
      code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN',
      error: 'Forbidden',
      message: "pages of origin 'http://b.org' may not use the time socket of host '127.0.0.1'"
    })
  }
  const head = await openRaw(port, request('/time', { method: 'HEAD', headers })).ended
  t.match(head, /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\n$/)
  const lines = log.lines.filter(({ msg }) => msg === 'refused')
  t.strictSame(lines.map(({ level, code }) => [level, code]),
    Array(3).fill([20, 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN']))
})

test('a foreign origin is refused as such, even if there is no room', async (t) => {
  const { app } = await createTimeApp(t, { maxClients: 1, shutdown: { grace: 50 } })
  const port = await listen(app)
  t.equal(await tryUpgrade(port, '127.0.0.1'), 101)
  t.equal(await tryUpgrade(port, '127.0.0.1', ['Origin: http://b.org']), 403)
  t.equal(await tryUpgrade(port, '127.0.0.1'), 503)
})

const texts: [text: string, canonical: string | undefined][] = [
  ['https://a.org', 'https://a.org'],
  ['HTTPS://A.org:443/path?query#fragment', 'https://a.org'],
  ['http://127.1:80', 'http://127.0.0.1'],
  ['https://b\u00fccher.example', 'https://xn--bcher-kva.example'],
  ['ws://a.org', undefined],
  ['a.org', undefined],
  ['a.org:80', undefined],
  ['null', undefined],
  ['', undefined]
]

for (const [text, canonical] of texts) {
  test(`the canonical origin of '${text}' is ${canonical}`, async (t) => {
    t.equal(canonicalOrigin(text), canonical)
  })
}

for (const origin of [
  'capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'app://obsidian.md', 'file://',
  'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
  'moz-extension://9f4ee1d1-6d4f-4f07-9c6d-1d0cf1d5a8a1'
]) {
  test(`admits ${origin} if the list contains it, and no similar origin`, async (t) => {
    const list = [origin, 'https://a.org']
    const { statuses } = await ask(t, { origin: list, headers: [`Origin: ${origin}`] })
    t.strictSame(statuses, ALLOWED)
    for (const other of [`${origin}/`, origin.toUpperCase(), `${origin}:80`, 'null']) {
      t.strictSame((await ask(t, { origin: list, headers: [`Origin: ${other}`] })).statuses, FORBIDDEN)
    }
  })
}

test('a refusal names the origin, and the host that it was compared with', async (t) => {
  const { answers } = await ask(t, { host: 'inner:8080', headers: ['Origin: https://a.org'] })
  for (const answer of answers) {
    t.match(answer, "pages of origin 'https://a.org' may not use the time socket of host 'inner:8080'")
  }
})

test('a very long origin is truncated in the answer and in the log', async (t) => {
  const { answers, log } = await ask(t, { headers: [`Origin: https://${'a'.repeat(5000)}.org`] })
  for (const answer of answers) t.ok(answer.length < 1000)
  for (const line of log.lines) t.ok(JSON.stringify(line).length < 2000)
})
