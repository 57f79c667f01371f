import { types } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { InvalidOptionError, NamespaceTakenError } from '../api/errors.js'
import type { ResolvedOptions } from '../api/options.js'
import { SERVED_NAMES, servedPath } from './served-client.js'
import { show } from '../util/values.js'
import type { TimeSocket } from '../api/time-socket.js'

/** The value of `app.timeSocket`: a time socket, an object of namespaces, or both. */
type Decorator = Partial<TimeSocket> & Record<string, unknown>

/**
 * Checks the options against the application, before anything is registered.
 *
 * @throws {InvalidOptionError | NamespaceTakenError}
 */
export function assertRegistrable<Context> (
  app: FastifyInstance, options: ResolvedOptions<Context>
): void {
  const { namespace, websocket, route, logLevel } = options
  const { http2, https } = app.initialConfig
  if (http2 === true && !(typeof https === 'object' && https.allowHTTP1 === true)) {
    const expected = 'on a server that accepts HTTP/1.1 (set https.allowHTTP1 to true)'
    throw new InvalidOptionError('url', expected, 'a server that accepts only HTTP/2')
  }
  if (websocket !== undefined && app.hasDecorator('websocketServer')) {
    const expected = 'left out, because @fastify/websocket is already registered'
    throw new InvalidOptionError('websocket', expected, show(websocket))
  }
  assertFree(app, namespace)
  assertLevel(app, 'logLevel', logLevel)
  assertLevel(app, 'route.logLevel', route.logLevel)
  assertConstraints(app, route.constraints)
  assertRoutesFree(app, options)
}

function assertRoutesFree<Context> (
  app: FastifyInstance, { url, route, serveClient }: ResolvedOptions<Context>
): void {
  const { constraints = {} } = route
  const isTaken = (path: string) => ['GET', 'HEAD'].some((method) =>
    app.hasRoute({ method: method as 'GET', url: joinPath(app.prefix, path), constraints }))
  if (app.hasRoute({ method: 'GET', url: joinPath(app.prefix, url), constraints })) {
    throw new InvalidOptionError('url', 'a path without a GET route', show(url))
  }
  const taken = SERVED_NAMES.map((name) => servedPath(url, name)).find(isTaken)
  if (serveClient && taken !== undefined) {
    throw new InvalidOptionError('serveClient', `false, because ${taken} already has a route`, 'true')
  }
}

function assertLevel (app: FastifyInstance, option: string, level: string | undefined): void {
  if (level === undefined || level === 'silent') return
  // Pino lists its levels. Any other logger has one method per level.
  const log = app.log as object as { levels?: { values?: object }, [name: string]: unknown }
  const known = log.levels?.values
  if (known === undefined ? typeof log[level] === 'function' : Object.hasOwn(known, level)) return
  const expected = known && `one of ${Object.keys(known).join(', ')}, silent`
  throw new InvalidOptionError(option, expected ?? 'a level that the logger has', show(level))
}

/** What Fastify's own constraints must be. */
const CONSTRAINTS: ReadonlyMap<string, string> = new Map([
  ['host', 'a string or a RegExp'], ['version', 'a string']
])

/** Refuses constraints for which the router would throw only after the registration has begun. */
function assertConstraints (app: FastifyInstance, constraints: object = {}): void {
  for (const [name, value] of Object.entries(constraints)) {
    const isText = typeof value === 'string' || (name === 'host' && types.isRegExp(value))
    // The application may have strategies of its own, also for these two names.
    if ((isText && CONSTRAINTS.has(name)) || app.hasConstraintStrategy(name)) continue
    const expected = CONSTRAINTS.get(name) ?? 'left out: the application has no such strategy'
    throw new InvalidOptionError(`route.constraints.${name}`, expected, show(value))
  }
}

function assertFree (app: FastifyInstance, namespace: string | undefined): void {
  const existing = existingDecorator(app)
  if (namespace === undefined) {
    if (existing === undefined) return
    throw new NamespaceTakenError('app.timeSocket', 'give this registration a namespace')
  }
  if (existing !== undefined && Object.hasOwn(existing, namespace)) {
    throw new NamespaceTakenError(`app.timeSocket.${namespace}`, 'choose another namespace')
  }
}

/** Adds the time socket to the application: as `app.timeSocket`, or as its member `namespace`. */
export function decorate (app: FastifyInstance, timeSocket: TimeSocket): void {
  const { namespace } = timeSocket
  if (namespace === undefined) {
    app.decorate('timeSocket', timeSocket as FastifyInstance['timeSocket'])
    return
  }
  if (existingDecorator(app) === undefined) {
    app.decorate('timeSocket', {} as FastifyInstance['timeSocket'])
  }
  Object.defineProperty(app.timeSocket, namespace, { value: timeSocket, enumerable: true })
}

/** Joins a prefix and the URL of a route as Fastify does. */
export function joinPath (prefix: string, url: string): string {
  if (prefix === '') return url
  if (url === '/') return prefix
  return prefix.endsWith('/') ? prefix + url.slice(1) : prefix + url
}

function existingDecorator (app: FastifyInstance): Decorator | undefined {
  return app.hasDecorator('timeSocket') ? app.timeSocket as unknown as Decorator : undefined
}
