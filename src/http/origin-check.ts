import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { OriginForbiddenError } from '../api/errors.js'
import type { OriginRule } from '../api/option-values.js'
import type { FailureLog } from '../observability/failure-log.js'
import type { Refusal } from './refusal-answer.js'
import { show, verdictOf } from '../util/values.js'
import { parseOrigin } from '../util/origins.js'

/** The header in which a page of the same origin names its origin in a plain request. */
const PAGE_HEADER = 'time-socket-origin'

/** Decides which requests the option `origin` admits. */
export interface Origins {
  /**
   * Returns why a request is refused. A request without `Origin` passes: it comes from a program
   * that is not a browser, or is a plain request from a page of this host.
   *
   * @throws whatever the application's `origin` function throws.
   */
  check (request: FastifyRequest): Refusal | undefined
  /**
   * The origin of the page that sent the request, if the page belongs to another host and may
   * connect, and so may read plain answers. Undefined for any other request.
   *
   * @throws whatever the application's `origin` function throws, unless `check` has already thrown
   * for this request.
   */
  foreignOf (request: FastifyRequest): string | undefined
}

export interface CorsOptions {
  origins: Origins
  /**
   * True if the application's handler answers: only the application knows who may read its answer.
   */
  isAnsweredByApp: (request: FastifyRequest) => boolean
  /** Logs what the application's `origin` function throws. */
  failureLog: FailureLog
}

/** Creates the checks for one value of the option `origin`. */
export function createOrigins (rule: OriginRule): Origins {
  const allows = createRule(rule)
  /** `foreignOf` reads the verdict of `check`: the application's function runs once per request. */
  const verdicts = new WeakMap<FastifyRequest, boolean>()

  function isAllowed (origin: string, request: FastifyRequest): boolean {
    let verdict = verdicts.get(request)
    if (verdict === undefined) {
      // If the rule throws, the request stays forbidden.
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

const HINT = 'If the page and the server are both yours: list the origin in the option "origin", or let the proxy keep ' +
  'the Host header (changeOrigin: false; nginx: proxy_set_header Host $http_host), or set ' +
  'trustProxy and let the proxy send X-Forwarded-Host'

/** Names both sides of the comparison, so that a misconfigured proxy is easy to find. */
function forbid (given: string, request: FastifyRequest): Refusal {
  const [origin, host] = [show(given), show(request.host)]
  const details = { origin: given.slice(0, 200), host: request.host, hint: HINT }
  return Object.assign(new OriginForbiddenError(origin, host), { details })
}

/**
 * The origin that a page of the same origin names: browsers send no `Origin` with its `GET`. A page
 * of another origin would need a preflight to send this header, and no preflight is answered.
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
      verdictOf(rule(origin, request), 'the result of the time socket option "origin"')
  }
  const listed = new Set(rule)
  // `null` and the origins of apps are compared unchanged.
  return (origin) => listed.has(parseOrigin(origin) ?? origin)
}

/**
 * Compares the origin's host and port with those of the request. Behind a proxy the request's
 * scheme is unknown, so the origin's scheme is assumed: a `Host` without a port means the default
 * port of that scheme.
 */
function isSameOrigin (origin: string, request: FastifyRequest): boolean {
  const parsed = parseOrigin(origin)
  if (parsed === undefined) return false
  const [scheme = ''] = parsed.split('//')
  return parseOrigin(`${scheme}//${request.host}`) === parsed
}

/**
 * Creates an `onSend` hook that lets pages of foreign origins read the plugin's answers to plain
 * requests, refusals included, if these pages may connect (the CORS protocol of the Fetch
 * standard, with credentials). The hook never overrides a header that the application has set.
 */
export function createCors (
  { origins, isAnsweredByApp, failureLog }: CorsOptions
): onSendHookHandler {
  return (request, reply, payload, done) => {
    if (!isAnsweredByApp(request) && !reply.hasHeader('access-control-allow-origin')) {
      const origin = readerOf(request, origins, failureLog)
      if (origin !== undefined) allowReading(reply, origin)
    }
    done(null, payload)
  }
}

/** Adds a header's name, in lower case, to `vary`, unless `vary` already has the name, or `*`. */
export function addVary (reply: FastifyReply, name: string): void {
  const vary = [reply.getHeader('vary') ?? []].flat().join(', ')
  const names = vary.toLowerCase().split(',').map((part) => part.trim())
  if (names.includes(name) || names.includes('*')) return
  reply.header('vary', vary === '' ? name : `${vary}, ${name}`)
}

/**
 * The foreign origin that may read this answer. Logs what the `origin` function throws: Fastify
 * would answer with the error's own text.
 */
function readerOf (
  request: FastifyRequest, origins: Origins, failureLog: FailureLog
): string | undefined {
  try {
    return origins.foreignOf(request)
  } catch (err) {
    failureLog.failed(err, { reqId: request.id })
    return undefined
  }
}

function allowReading (reply: FastifyReply, origin: string): void {
  addVary(reply, 'origin')
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true'
  })
  // Without this header, scripts of another origin cannot read retry-after.
  if (reply.hasHeader('retry-after') && !reply.hasHeader('access-control-expose-headers')) {
    reply.header('access-control-expose-headers', 'retry-after')
  }
}
