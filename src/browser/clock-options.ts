import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import { createEnvironment } from './environment.js'
import type { Environment } from './environment.js'

/**
 * The URL of the time socket, or a function that returns it and is called for each connection and
 * each round of requests. Relative URLs are resolved against the page. `http` and `ws` mean the
 * same, and so do `https` and `wss`.
 */
export type ServerClockUrl = string | URL | (() => string | URL | Promise<string | URL>)

/** How the clock syncs with the server. */
export type Transport = 'websocket' | 'http'

export interface ServerClockOptions {
  /** Subprotocols to offer after `time.v1`, such as a ticket. Default: none. */
  readonly protocols?: readonly string[] | undefined
  /**
   * `'auto'`: a WebSocket, and plain HTTP while only plain HTTP works · `'http'`: never a
   * WebSocket, for pages that need no messages · `'websocket'`: never plain HTTP. Default `'auto'`.
   */
  readonly transport?: 'auto' | Transport | undefined
  /**
   * How much faster or slower than real time `now()` may run during a correction, as a fraction:
   * more than 0, at most 1. Default 0.05.
   */
  readonly slew?: number | undefined
  /** Milliseconds, 0 or more: a correction larger than this is made at once. Default 250. */
  readonly stepThreshold?: number | undefined
  /** How often the clock asks the server for its time. */
  readonly sync?: SyncOptions | undefined
  /** True connects in the constructor; false waits for `open()`. Default true. */
  readonly autoOpen?: boolean | undefined
  /** Replaces the globals that the clock uses, for tests and unusual runtimes. */
  readonly environment?: Partial<Environment> | undefined
}

export interface SyncOptions {
  /**
   * Probes in one round: an integer from 0 to 10. Default 3. With 0, the clock probes only after it
   * has connected or woken up and when a clock has been set; over HTTP, once a round.
   */
  readonly probes?: number | undefined
  /**
   * Milliseconds between two rounds, ± 10 %: 1000 or more. The first rounds follow each other more
   * closely. Default 60000.
   */
  readonly every?: number | undefined
  /**
   * The `skew` that an earlier clock reported for this server after about ten minutes: within
   * ± 0.0005. The estimate starts from this value; the error bound does not depend on it. 0 means
   * unknown. Default 0.
   */
  readonly skew?: number | undefined
}

export interface ReadyOptions {
  /**
   * The largest acceptable error bound, in milliseconds: more than 0. Default: the bound may have
   * any size.
   */
  readonly error?: number | undefined
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined
}

export interface AtOptions {
  /** Cancels the callback. */
  readonly signal?: AbortSignal | undefined
}

export interface EveryOptions extends AtOptions {
  /** True also calls back soon, not only at the next multiple. Default false. */
  readonly immediate?: boolean | undefined
}

/** All options, checked, with their defaults. */
export interface ClockSettings {
  readonly protocols: readonly string[]
  readonly transport: 'auto' | Transport
  readonly slew: number
  readonly stepThreshold: number
  readonly sync: Required<{ [Name in keyof SyncOptions]: number }>
  readonly autoOpen: boolean
  readonly environment: Environment
}

const MAX_PROBES = 10
const MIN_EVERY_MS = 1000
const MAX_SKEW = 500e-6
/** A token of RFC 9110 §5.6.2, which a subprotocol has to be. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
const DEFAULTS = {
  protocols: [] as readonly string[],
  transport: 'auto' as const,
  slew: 0.05,
  stepThreshold: 250,
  sync: {},
  autoOpen: true,
  environment: {}
}
const SYNC_DEFAULTS = { probes: 3, every: 60_000, skew: 0 }

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function resolveOptions (given: ServerClockOptions = {}): ClockSettings {
  const options = fill('options', DEFAULTS, given)
  const sync = fill('sync', SYNC_DEFAULTS, options.sync)
  const { protocols } = options
  const names = isArray(protocols) ? [TIME_PROTOCOL, ...protocols] : undefined
  expect('protocols', protocols, 'an array of strings', names?.every((name) => typeof name === 'string'))
  expect('protocols', protocols, 'distinct tokens other than "time.v1"',
    names?.every((name) => TOKEN.test(name)) && new Set(names).size === names.length, RangeError)
  expect('transport', options.transport, '"auto", "websocket" or "http"',
    ['auto', 'websocket', 'http'].includes(options.transport), RangeError)
  expectNumber('slew', options.slew, 'more than 0 and at most 1', (slew) => slew > 0 && slew <= 1)
  expectNumber('stepThreshold', options.stepThreshold, '0 or more', (ms) => ms >= 0)
  expectNumber('sync.probes', sync.probes, `an integer from 0 to ${MAX_PROBES}`,
    (count) => Number.isInteger(count) && count >= 0 && count <= MAX_PROBES)
  expectNumber('sync.every', sync.every, `${MIN_EVERY_MS} or more`, (ms) => ms >= MIN_EVERY_MS)
  expectNumber('sync.skew', sync.skew, `within ± ${MAX_SKEW}`,
    (rate) => Math.abs(rate) <= MAX_SKEW)
  expect('autoOpen', options.autoOpen, 'true or false', typeof options.autoOpen === 'boolean')
  return { ...options, sync, environment: resolveEnvironment(options.environment) }
}

function resolveEnvironment (given: Partial<Environment>): Environment {
  expect('environment', given, 'an object', isObject(given))
  const environment = createEnvironment(given)
  for (const [name, value] of Object.entries(environment)) {
    const isPage = name === 'page'
    const isAbsent = name === 'WebSocket' && value === undefined
    const isValid = isPage ? isObject(value) : isAbsent || typeof value === 'function'
    expect(`environment.${name}`, value, isPage ? 'an object' : 'a function', isValid)
  }
  return environment
}

/** Fills in the defaults. An undefined option counts as absent. */
function fill<Filled extends object> (
  name: string, defaults: Filled, given: { [Name in keyof Filled]?: unknown }
): Filled {
  expect(name, given, 'an object', isObject(given))
  const filled = { ...defaults }
  for (const [key, value] of Object.entries(given)) {
    expect(name, key, `any of ${Object.keys(defaults).join(', ')}`, key in defaults)
    if (value !== undefined) Object.assign(filled, { [key]: value })
  }
  return filled
}

export function expectNumber (
  name: string, value: unknown, range: string, isInRange: (value: number) => boolean
): void {
  expect(name, value, 'a number', typeof value === 'number')
  expect(name, value, range, isInRange(value as number), RangeError)
}

function expect (
  name: string, value: unknown, expected: string, isMet: unknown, Failure = TypeError
): void {
  if (!isMet) throw new Failure(`ServerClock: ${name} must be ${expected}, but got ${show(value)}`)
}

function show (value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isArray (value: unknown): value is readonly string[] {
  return Array.isArray(value)
}
