import type { FastifyRequest } from 'fastify'
import { OriginForbiddenError } from '../api/errors.js'
import type { OriginRule } from '../api/options.js'
import type { Refusal } from './refusal-answer.js'
import { show } from '../util/values.js'
import { verdictOf } from '../util/callbacks.js'

/** Names the page's origin in a plain request of a page of the same origin. */
const PAGE_HEADER = 'time-socket-origin'

/** What a rule says of requests. */
export interface Origins {
  /**
   * Says why a request is refused. One without `Origin` passes: it is no browser's, or a
   * plain one of a page of this host.
   *
   * @throws whatever a function of the application's throws.
   */
  check (request: FastifyRequest): Refusal | undefined
  /**
   * The origin of a page of another host that may connect, and so read plain answers.
   *
   * @throws as `check` does, but not for the same request.
   */
  foreignOf (request: FastifyRequest): string | undefined
}

export function createOrigins (rule: OriginRule): Origins {
  const allows = createRule(rule)
  /** Answers are looked at a second time when they are sent: the application is asked once. */
  const verdicts = new WeakMap<FastifyRequest, boolean>()

  function isAllowed (origin: string, request: FastifyRequest): boolean {
    let verdict = verdicts.get(request)
    if (verdict === undefined) {
      // What stays if the rule throws.
      verdicts.set(request, false)
      verdict = allows(origin, request)
      verdicts.set(request, verdict)
    }
    return verdict
  }

  return {
    check (request) {
      const origin = request.headers.origin ?? pageOf(request)
      if (origin === undefined || isAllowed(origin, request)) return undefined
      return forbid(origin, request)
    },
    foreignOf (request) {
      const { origin } = request.headers
      if (origin === undefined || !isAllowed(origin, request)) return undefined
      return isSameOrigin(origin, request) ? undefined : origin
    }
  }
}

const HINT = 'If both are yours: list the origin in the option "origin", or let the proxy keep ' +
  'the Host header (changeOrigin: false; nginx: proxy_set_header Host $http_host), or set ' +
  'trustProxy and let the proxy send X-Forwarded-Host'

/** Names both sides of the comparison, so that a wrong proxy is found. */
function forbid (given: string, request: FastifyRequest): Refusal {
  const [origin, host] = [show(given), show(request.host ?? '')]
  const details = { origin: given.slice(0, 200), host: request.host ?? '', hint: HINT }
  return Object.assign(new OriginForbiddenError(origin, host), { details })
}

/**
 * The origin that a page of the same origin names, since browsers send no `Origin` with its `GET`.
 * Another page would need a preflight to send this header, and gets none answered.
 */
function pageOf ({ ws, headers }: FastifyRequest): string | undefined {
  const page = headers[PAGE_HEADER]
  return ws || page === undefined ? undefined : String(page)
}

function createRule (rule: OriginRule): (origin: string, request: FastifyRequest) => boolean {
  if (rule === '*') return () => true
  if (rule === 'same-origin') return isSameOrigin
  if (typeof rule === 'function') {
    return (origin, request) =>
      verdictOf(rule(origin, request), 'what the time socket option "origin" returns')
  }
  const listed = new Set(rule)
  // `null` and the origins of apps are compared as they are.
  return (origin) => listed.has(parseOrigin(origin) ?? origin)
}

/**
 * Compares host and port with those that the client asked for. The scheme it used is unknown
 * behind a proxy, so that of the origin is supposed: a `Host` without port means its default.
 */
function isSameOrigin (origin: string, request: FastifyRequest): boolean {
  const parsed = parseOrigin(origin)
  if (parsed === undefined) return false
  const [scheme = ''] = parsed.split('//')
  return parseOrigin(`${scheme}//${request.host}`) === parsed
}

/**
 * The origin that this text names, if it differs from the canonical form by nothing more than
 * case and the default port. What a URL parser would put up with besides, such as a path,
 * credentials, blanks or `127.1`, no browser sends (RFC 6454 §7.1).
 */
function parseOrigin (text: string): string | undefined {
  const origin = canonicalOrigin(text)
  if (origin === undefined) return undefined
  const lowered = text.toLowerCase()
  const defaultPort = origin.startsWith('https:') ? ':443' : ':80'
  return lowered === origin || lowered === origin + defaultPort ? origin : undefined
}

/**
 * The origin of a URL of http or https, as browsers write it; undefined of any other text. A URL
 * parser takes `*` for part of a name, but whoever writes it means many, and no host is named so.
 */
export function canonicalOrigin (text: string): string | undefined {
  if (!URL.canParse(text) || text.includes('*')) return undefined
  const { origin, protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined
}

/** What pages in apps and extensions send: `capacitor://localhost`, `chrome-extension://…`. */
const APP_ORIGIN = /^([a-z][a-z\d+.-]*):\/\/[^\s/?#@\\*,"'<>]*$/
/** Schemes that are never those of an app: what has them here is a mistake. */
const OTHER_SCHEMES = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'blob', 'data', 'javascript'])

/** True for the origin of an app or extension, in the form in which browsers send it. */
export function isAppOrigin (text: string): boolean {
  const scheme = APP_ORIGIN.exec(text)?.[1]
  return scheme !== undefined && !OTHER_SCHEMES.has(scheme)
}
