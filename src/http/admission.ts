import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { ExpiredError, UnsupportedProtocolError } from '../api/errors.js'
import type { ExpiresAt } from '../api/option-values.js'
import type { ResolvedOptions } from '../api/options.js'
import type { Expiry } from '../connections/client.js'
import type { Admitted } from '../connections/connection-lifecycle.js'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import type { WallClock } from '../time/wall-clock.js'
import { addressOf } from '../util/address.js'
import { toNativePromise, isThenable, readMoment, show } from '../util/values.js'
import type { Timers } from '../util/timers.js'
import type { Refusal } from './refusal-answer.js'

/** Returns why a request is refused; undefined if the request passes. */
export type Check = (request: FastifyRequest) => Refusal | undefined

export interface AdmissionParts<Context> {
  options: ResolvedOptions<Context>
  clock: WallClock
  timers: Timers
}

/** The last decisions about a request, after the application's hooks. */
export interface Admission<Context> {
  /**
   * Calls `context` and `expiresAt`, and stores what they return on the request. Synchronous unless
   * one of them is async.
   */
  readonly admit: preHandlerHookHandler
  /** Refuses a request whose permission has ended. Runs after `admit`. */
  readonly checkExpiry: Check
  /** Chooses the subprotocol of an upgrade. Must be the last check, because it edits a header. */
  readonly chooseSubprotocol: Check
  /**
   * Must be called after the 101. Returns what `admit` has stored, and detaches the response from
   * the socket.
   */
  complete (request: FastifyRequest): Admitted<Context>
}

/** Creates the hooks that ask the application about a client that is about to connect. */
export function createAdmission<Context> (
  { options, clock, timers }: AdmissionParts<Context>
): Admission<Context> {
  const admit: preHandlerHookHandler = (request, reply, done) => {
    const store = (context: Context | undefined, expiresAt: ExpiresAt) => {
      const expiry = readExpiry(expiresAt, clock.now(), timers.monotonic())
      const { ip, port } = addressOf(request)
      const admitted = request as unknown as AdmittedRequest<Context>
      // Only an upgrade becomes a client, and has a context.
      admitted[kAdmitted] = { ip, port, context: context as Context, expiry, response: reply.raw }
    }
    try {
      const context = request.ws ? options.context(request) : undefined
      const askExpiry = () => options.expiresAt?.(request)
      // If the context is a promise, a throw of expiresAt becomes a rejection, awaited with it.
      const expiresAt = isThenable(context) ? Promise.resolve().then(askExpiry) : askExpiry()
      if (isThenable(context) || isThenable(expiresAt)) {
        const answers = Promise.all([toNativePromise(context), toNativePromise(expiresAt)])
        return answers.then(([context, expiresAt]) => store(context, expiresAt))
      }
      store(context, expiresAt)
    } catch (err) {
      return done(toError(err))
    }
    done()
  }

  return {
    admit,
    checkExpiry (request) {
      const { expiry } = (request as AdmittedRequest<Context>)[kAdmitted]
      if (expiry === undefined || expiry.dueMs > timers.monotonic()) return undefined
      return new ExpiredError()
    },
    chooseSubprotocol: createSubprotocols([TIME_PROTOCOL, ...options.protocols]),
    complete (request) {
      const admitted = (request as AdmittedRequest<Context>)[kAdmitted]
      detachResponse(admitted.response, request)
      return admitted
    }
  }
}

const kAdmitted = Symbol('time-socket-admitted')

interface AdmittedRequest<Context> extends FastifyRequest {
  [kAdmitted]: Admitted<Context> & {
    /** @fastify/websocket has tied this response to the socket, and never sends it. */
    readonly response: ServerResponse
  }
}

/**
 * Reads what the option `expiresAt` returned: when a permission ends.
 *
 * @param nowMs the server's time, read at `monotonicMs`.
 * @returns undefined if the permission does not end.
 * @throws {TypeError} if `expiresAt` is not a valid date, which is the application's mistake.
 */
export function readExpiry (
  expiresAt: unknown, nowMs: number, monotonicMs: number
): Expiry | undefined {
  if (expiresAt === undefined) return undefined
  const at = readMoment(expiresAt)
  if (at === undefined) {
    throw new TypeError('expiresAt must return a Date, milliseconds since the Unix epoch or ' +
      `undefined, got ${show(expiresAt)} (the exp of a JWT is in seconds: return exp * 1000)`)
  }
  return { at, dueMs: monotonicMs + at - nowMs }
}

const PROTOCOL_HEADER = 'sec-websocket-protocol'

/**
 * Creates a check that agrees with an upgrade on a subprotocol (RFC 6455 §4.2.2): the first one
 * that the client offers and the server knows. An upgrade that offers only unknown subprotocols is
 * refused. The check sets the header to the chosen subprotocol: ws would answer with the first one
 * offered, which may be a secret, or call `handleProtocols`, which applies to the whole server.
 *
 * @param known all subprotocols of the server, in the order in which a refusal lists them.
 */
function createSubprotocols (known: readonly string[]): Check {
  const names = new Set(known)
  const list = known.join(', ')
  return ({ ws, raw: { headers } }) => {
    const offered = ws ? headers[PROTOCOL_HEADER] : undefined
    if (offered === undefined) return undefined
    const chosen = offered.split(',').map((name) => name.trim()).find((name) => names.has(name))
    if (chosen === undefined) return new UnsupportedProtocolError(list)
    headers[PROTOCOL_HEADER] = chosen
    return undefined
  }
}

/**
 * Detaches the response from the socket. Otherwise the socket would keep the response and the
 * request in memory until the connection closes. Reverses `assignSocket()`. Node.js documents
 * neither method, so a later version may lack them.
 */
function detachResponse (response: ServerResponse, { raw }: FastifyRequest): void {
  if (raw.socket instanceof Socket) response.detachSocket?.(raw.socket)
}

/** Replaces a thrown null or undefined, which Fastify would ignore, by an Error. */
export function toError (thrown: unknown): Error {
  return (thrown ?? new TypeError('a callback threw undefined or null')) as Error
}
