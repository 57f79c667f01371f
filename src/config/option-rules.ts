import { InvalidOptionError } from '../api/errors.js'
import { canonicalOrigin, isAppOrigin } from '../util/origins.js'
import { isPlainObject, show } from '../util/values.js'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'

/** What the value of an option must be. */
export interface Rule {
  /** Completes the sentence "the option must be ...". */
  readonly expected: string
  holds (value: unknown): boolean
}

/** Members of `app.timeSocket`, and `then`, which `await` looks for. No namespace may hide them. */
const MEMBERS = new Set([
  'clients', 'broadcast', 'cancel', 'now', 'lastTick', 'stats', 'close', 'url', 'namespace', 'then'
])

/** A token of RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/
const AN_ORIGIN = "an origin as browsers send it, such as 'https://example.org', 'capacitor://localhost' or 'null'"

export const boolean: Rule = { expected: 'a boolean', holds: (value) => typeof value === 'boolean' }
export const text: Rule = { expected: 'a string', holds: (value) => typeof value === 'string' }
export const nonEmptyText: Rule = {
  expected: 'a string that is not empty',
  holds: (value) => typeof value === 'string' && value !== ''
}
export const callback: Rule = { expected: 'a function', holds: isFunction }
export const object: Rule = { expected: 'a plain object', holds: isPlainObject }

export const objectOrFalse: Rule = {
  expected: 'a plain object or false',
  holds: (value) => value === false || isPlainObject(value)
}

export const hooks: Rule = {
  expected: 'a function or an array of functions',
  holds: (value) => isFunction(value) || (Array.isArray(value) && value.every(isFunction))
}

export const originRule: Rule = {
  expected: "'same-origin', '*', an array of origins or a function",
  holds: (value) => value === 'same-origin' || value === '*' || Array.isArray(value) ||
    isFunction(value)
}

export const path: Rule = {
  expected: 'a path that starts with "/", without white space, query or fragment, with valid ' +
    'parameters, and with "*" only at its end',
  // A question mark is allowed after a parameter: it makes the parameter optional.
  holds: (value) => typeof value === 'string' &&
    /^\/[^\s?#]*$|^\/[^\s?#]*:\w+\?$/.test(value) && isRoutable(value)
}

/** False if Fastify's router would throw, which it does only after the registration has begun. */
function isRoutable (path: string): boolean {
  // Regular expressions of parameters, as in `/:id(^\\d+$)`.
  const [expressions = ''] = /\(.*\)/.exec(path) ?? []
  const rest = path.replace(expressions, '')
  return isExpression(expressions) && !/\*.|:[^/]*\(/.test(rest)
}

function isExpression (text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

export const namespace: Rule = {
  expected: 'a name of letters, digits and _ that is not a member of the time socket',
  holds: (value) => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value) &&
    !MEMBERS.has(value) && !(value in Object.prototype)
}

const trailingSlash: Rule = {
  expected: 'both, slash or no-slash',
  holds: (value) => ['both', 'slash', 'no-slash'].includes(value as string)
}

/** For options of other plugins. `null` is refused: it would look like an absent option. */
const anything: Rule = { expected: 'a value, or left out', holds: (value) => value !== null }

export function integerBetween (min: number, max: number): Rule {
  return {
    expected: `an integer from ${min} to ${max}`,
    holds: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  }
}

export const protocols: Rule = {
  expected: `an array of different subprotocol names (RFC 9110 tokens), other than ${TIME_PROTOCOL}`,
  holds: (value) => Array.isArray(value) && new Set(value).size === value.length &&
    value.every((name) => typeof name === 'string' && TOKEN.test(name) &&
      name !== TIME_PROTOCOL)
}

export const count: Rule = {
  expected: 'an integer from 1 up, or Infinity',
  holds: (value) => value === Infinity || (Number.isSafeInteger(value) && Number(value) >= 1)
}

export function numberAbove (min: number, max: number): Rule {
  return {
    expected: `a number above ${min}, up to ${max}`,
    holds: (value) => typeof value === 'number' && value > min && value <= max
  }
}

export function objectWith (...methods: string[]): Rule {
  const names = methods.map((method) => `${method}()`).join(', ')
  return {
    expected: `an object with ${methods.length === 1 ? 'a method' : 'the methods'} ${names}`,
    holds: (value) => methods.every((method) => isFunction(Object(value)[method]))
  }
}

/** For an option that must be left out. `remedy` says why, or what to do instead. */
export function absent (remedy: string): Rule {
  return { expected: `left out: ${remedy}`, holds: () => false }
}

/**
 * Checks every field of an options object; `undefined` counts as absent.
 *
 * @param parent the option whose fields these are; errors name a field as `parent.field`.
 * @throws {InvalidOptionError} for the first field that is unknown or breaks its rule.
 */
export function fields (
  given: object | undefined, rules: Readonly<Record<string, Rule>>, parent?: string
): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    const path = parent === undefined ? name : `${parent}.${name}`
    option(path, value, Object.hasOwn(rules, name) ? rules[name] : unknown(rules))
  }
}

/** Route options that this plugin sets itself. */
const OWN_ROUTE_OPTIONS = [
  'url', 'path', 'method', 'handler', 'wsHandler', 'websocket', 'preValidation', 'handlerTimeout'
]

/** Fastify's request hooks (its `lib/hooks.js`). */
const ROUTE_HOOKS = [
  'onTimeout', 'onRequest', 'preParsing', 'preSerialization', 'preHandler', 'onSend',
  'onResponse', 'onError', 'onRequestAbort'
]

/**
 * Rules for options that Fastify would reject only after the registration has begun, or not at all.
 */
const ROUTE_RULES: ReadonlyMap<string, Rule> = new Map([
  ...rulesFor(OWN_ROUTE_OPTIONS, absent('the plugin sets it')),
  ...rulesFor(ROUTE_HOOKS, hooks),
  ...rulesFor(['schema', 'config', 'constraints', 'logSerializers'], object),
  ...rulesFor(['attachValidation', 'exposeHeadRoute'], boolean),
  ...rulesFor([
    'errorHandler', 'validatorCompiler', 'serializerCompiler', 'schemaErrorFormatter',
    'childLoggerFactory'
  ], callback),
  ...rulesFor(['logLevel'], text),
  ...rulesFor(['bodyLimit'], integerBetween(1, Number.MAX_SAFE_INTEGER)),
  ...rulesFor(['prefixTrailingSlash'], trailingSlash)
])

function rulesFor (names: readonly string[], rule: Rule): [name: string, rule: Rule][] {
  return names.map((name) => [name, rule])
}

/**
 * Checks the route options. Options that Fastify does not know are left alone: they may belong to
 * another plugin.
 */
export function route (given: object | undefined): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    option(`route.${name}`, value, ROUTE_RULES.get(name) ?? anything)
  }
}

/**
 * Rules for options that make ws throw where no caller can catch the error, or that ws misreads.
 */
const SERVER_RULES: ReadonlyMap<string, Rule> = new Map([
  ...rulesFor(['port', 'host', 'noServer'], absent('Fastify provides the server')),
  ...rulesFor(['server'], objectWith('on')),
  ...rulesFor(['maxPayload', 'maxFragments'], integerBetween(1, 2 ** 31 - 1)),
  ...rulesFor(['verifyClient', 'handleProtocols'], callback)
])

/** Checks the options that @fastify/websocket hands to ws. */
export function serverOptions (given: object | undefined): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    option(`websocket.options.${name}`, value, SERVER_RULES.get(name))
  }
}

/**
 * Checks that each item of a list is an origin as browsers send it. The error names the correct
 * form.
 */
export function origins (given: unknown): void {
  for (const [index, origin] of Array.isArray(given) ? given.entries() : []) {
    const canonical = typeof origin === 'string' ? canonicalOrigin(origin) : undefined
    if (origin !== undefined && (origin === canonical || origin === 'null')) continue
    if (typeof origin === 'string' && isAppOrigin(origin)) continue
    const expected = canonical === undefined ? AN_ORIGIN : show(canonical)
    throw new InvalidOptionError(`origin[${index}]`, expected, show(origin))
  }
}

export function option (path: string, value: unknown, rule: Rule | undefined): void {
  if (value === undefined || rule === undefined || rule.holds(value)) return
  throw new InvalidOptionError(path, rule.expected, show(value))
}

function unknown (rules: Readonly<Record<string, Rule>>): Rule {
  return { expected: `one of ${Object.keys(rules).join(', ')}`, holds: () => false }
}

function isFunction (value: unknown): boolean {
  return typeof value === 'function'
}
