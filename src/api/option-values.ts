import type {
  FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RegisterOptions,
  RouteShorthandOptions
} from 'fastify'
import type { Tick } from './content.js'

/** The Fastify route options that an application may set. */
export type TimeSocketRouteOptions = Omit<
  RouteShorthandOptions,
  'preValidation' | 'handlerTimeout' | 'websocket' | 'logLevel' | 'logSerializers' | 'onRequest' |
  'preHandler'
> & Pick<RegisterOptions, 'logLevel' | 'logSerializers'> & {
  onRequest?: TimeSocketHook | TimeSocketHook[]
  preHandler?: TimeSocketHook | TimeSocketHook[]
}

/**
 * A Fastify hook that gets request and reply, with a callback or async. Its request may be typed:
 * `FastifyRequest<{ Querystring: { token: string } }>`.
 */
export type TimeSocketHook = HookMethods['hook']

interface HookMethods {
  hook (
    this: FastifyInstance, request: FastifyRequest, reply: FastifyReply,
    done: HookHandlerDoneFunction
  ): void | Promise<unknown>
}

/** Which origins may connect, and read plain answers. */
export type OriginRule =
  'same-origin' | '*' | readonly string[] |
  Callback<[origin: string, request: FastifyRequest], boolean>

/** When a permission ends: a Date, or milliseconds since the Unix epoch; undefined for never. */
export type ExpiresAt = Date | number | undefined

/**
 * A function that may be declared with narrower parameters, such as a typed request: TypeScript
 * compares the parameters of methods in both directions.
 */
export type Callback<Args extends unknown[], Result> = { method (...args: Args): Result }['method']

/** The names of the built-in formats. */
export type FormatName = 'iso' | 'date-string' | 'timestamp' | 'json'

/**
 * Formats a tick for clients without `time.v1`: a non-empty string is sent as text, bytes as a
 * binary message. Must be pure: a tick is formatted once per slice of a fan-out, not once per
 * client. With `immediate`, the function is also called for each new client.
 */
export type Format = (tick: Tick) => string | Uint8Array

/** A wall clock. */
export interface Clock {
  /**
   * Returns milliseconds since the Unix epoch, optionally with fractions. Must run at real speed.
   */
  now (): number
}
