import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import timeSocket from '../../../src/index.js'
import type { TimeSocket, TimeSocketOptions } from '../../../src/index.js'
import { pathOf } from '../root.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** As it stands in the documentation. */
const SMALLEST_PAGE = `
<script type="module" src="/time/elements.js"></script>
<server-time></server-time>
<server-countdown to="2030-01-01T00:00:00Z"></server-countdown>
`
const EMPTY_PAGE = '<!doctype html><title>A page</title><link rel="icon" href="data:,">'
const PAGES = {
  '/': SMALLEST_PAGE,
  '/empty': EMPTY_PAGE,
  '/clocks': pageWith('clock-page.js'),
  '/elements': pageWith('element-page.js')
}
const SCRIPTS = ['clock-page.js', 'element-page.js']
/** Allows the site's own scripts and requests, and no text that becomes HTML or code. */
const STRICT_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; " +
  "require-trusted-types-for 'script'; trusted-types 'none'"

/**
 * A server with pages, the time socket `/time`, and others that refuse.
 *
 * @param port default: a free one.
 */
export async function startSite (
  t: Test, { port, ...options }: TimeSocketOptions & { port?: number } = {}
) {
  const app = fastify({ forceCloseConnections: true })
  const close = () => app.close()
  t.teardown(close)
  for (const [url, html] of Object.entries(PAGES)) {
    app.get(url, (_request, reply) => reply.type('text/html').send(html))
  }
  app.get('/favicon.ico', (_request, reply) => reply.code(204).send())
  app.get('/strict', (_request, reply) => reply
    .type('text/html')
    .header('content-security-policy', STRICT_POLICY)
    .send(PAGES['/elements']))
  for (const name of SCRIPTS) {
    const script = await readFile(pathOf(`test/helpers/engines/${name}`))
    app.get(`/${name}`, (_request, reply) => reply.type('text/javascript').send(script))
  }
  app.get('/moved', (_request, reply) => reply.redirect('/empty'))
  // A page may come through any proxy.
  const origin = (origin: string): boolean => origin.includes('127.0.0.1')
  await app.register(timeSocket, { interval: 1000, origin, ...options })
  await app.register(timeSocket, {
    url: '/guarded',
    namespace: 'guarded',
    preValidation: async (_request, reply) => reply.code(401).send({ code: 'SIGN_IN' })
  })
  await app.register(timeSocket, {
    url: '/foreign', namespace: 'foreign', origin: ['https://elsewhere.example']
  })
  await app.register(timeSocket, { url: '/full', namespace: 'full', maxClientsPerIp: 1 })
  const full: TimeSocket = Reflect.get(app.timeSocket, 'full')
  await app.listen({ port: port ?? 0, host: '127.0.0.1' })
  const address = app.server.address() as AddressInfo
  return { timeSocket: app.timeSocket, full, port: address.port, close }
}

function pageWith (script: string): string {
  return `${EMPTY_PAGE}<script type="module" src="/${script}"></script>`
}
