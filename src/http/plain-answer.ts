import type {
  FastifyReply, FastifyRequest, onSendHookHandler, RouteHandlerMethod
} from 'fastify'
import { SERVER_ID, toHundredths } from '../protocol/time-v1-text.js'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import type { ServerClock } from '../time/server-time.js'
import { readHeaderList } from '../util/header-list.js'
import { addVary } from './cors.js'
import type { Refusal } from './refusal-answer.js'

/** What a plain `GET` is answered, as JSON. */
export interface TimeAnswer {
  /** The `id` of the `Accept` header, for a request that has one. */
  readonly id?: number
  /**
   * The server's time when this answer was written: milliseconds since the Unix epoch, with at
   * most two decimals.
   */
  readonly now: number
  /** Milliseconds from the arrival of the request to `now`. */
  readonly hold: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** How often the server's wall clock has stepped: goes up by one each time. */
  readonly clockSteps: number
  /** Names the server process, at random: `clockSteps` compares only within one. */
  readonly server: string
  /** The subprotocols built in. */
  readonly protocols: readonly string[]
  /** Present while an upgrade would be refused for capacity. */
  readonly upgrade?: {
    /** The HTTP status of the refusal. */
    readonly status: 503 | 429
    /** The code of the refusal. */
    readonly code: string
    /** Seconds to wait before trying again. */
    readonly retryAfter: number
  }
}

export interface PlainAnswerOptions {
  clock: ServerClock
  /** Milliseconds between two ticks. */
  intervalMs: number
  /** Says why an upgrade would be refused for capacity; undefined if it would not. */
  findRoom: (request: FastifyRequest) => Refusal | undefined
  /** The application's handler for requests that do not ask for the time. */
  handler: RouteHandlerMethod | undefined
}

/** Answers plain HTTP on the time socket's URL. */
export interface PlainAnswers {
  /** The route's handler. */
  readonly handler: RouteHandlerMethod
  /** The last `onSend` hook but those that set headers: writes the time into the answer. */
  readonly refresh: onSendHookHandler
}

/** What a request must accept to get the time whatever the option `handler` says. */
const TIME_MEDIA_TYPE = 'application/vnd.time-socket+json'
const ID_PARAMETER = /^id=("?)(\d{1,10})\1$/
const MAX_ID = 2 ** 31 - 1

/**
 * Creates the answer to plain HTTP: the time, for health checks, curl, pages whose upgrade was
 * refused, and clients that sync over HTTP; or what the application's handler answers.
 */
export function createPlainAnswers (options: PlainAnswerOptions): PlainAnswers {
  const { clock, intervalMs, findRoom, handler: hostHandler } = options
  const schedule = `,"interval":${intervalMs},"clockSteps":`
  const server = `,"server":"${SERVER_ID}","protocols":["${TIME_PROTOCOL}"]`

  function write ({ elapsedTime }: FastifyReply, { id, upgrade }: Asked): string {
    // Read in this order: a stall in between makes the arrival look later, which a client's
    // bound allows for. An arrival that looks earlier would break the bound.
    const hold = toHundredths(elapsedTime)
    const now = toHundredths(clock.now())
    return `{${id}"now":${now},"hold":${hold}${schedule}${clock.clockSteps}${server}${upgrade}}`
  }

  function tellTime (request: PlainRequest, reply: FastifyReply, wanted: Wanted | undefined): void {
    // Nobody else compares the clocks while nobody is connected.
    clock.readClocks()
    const asked = { id: wanted?.id ?? '', upgrade: describe(findRoom(request)) }
    const text = write(reply, asked)
    request[kAnswer] = { asked, text }
    reply.headers({
      'content-type': wanted === undefined ? 'application/json; charset=utf-8' : TIME_MEDIA_TYPE,
      'cache-control': 'no-store'
    })
    addVary(reply, 'accept')
    reply.send(text)
  }

  return {
    handler (request: PlainRequest, reply) {
      const wanted = readAccept(request.headers.accept)
      if (hostHandler === undefined || wanted !== undefined) {
        return tellTime(request, reply, wanted)
      }
      request[kAnswer] = BY_HOST
      return hostHandler.call(this, request, reply)
    },
    refresh (request: PlainRequest, reply, payload, done) {
      const { asked, text } = request[kAnswer] ?? BY_HOST
      if (request[kAnswer] === BY_HOST) addVary(reply, 'accept')
      // Hooks may have taken their time. What they have changed or measured is left alone.
      const isOurs = asked !== undefined && payload === text && !reply.hasHeader('content-length')
      done(null, isOurs ? write(reply, asked) : payload)
    }
  }
}

/** True once a plain request has passed all checks and hooks. */
export function hasReachedHandler (request: FastifyRequest): boolean {
  return (request as PlainRequest)[kAnswer] !== undefined
}

/** True if the application's handler answers this request. */
export function isAnsweredByHost (request: FastifyRequest): boolean {
  return (request as PlainRequest)[kAnswer] === BY_HOST
}

/** What differs between two answers to plain requests, as JSON text. */
interface Asked {
  /** `"id":12,` or empty. */
  readonly id: string
  /** `,"upgrade":{…}` or empty. */
  readonly upgrade: string
}

interface Answer {
  /** Absent if the application's handler answers. */
  readonly asked?: Asked
  readonly text?: string
}

const BY_HOST: Answer = {}
const kAnswer = Symbol('time-socket-answer')

interface PlainRequest extends FastifyRequest {
  [kAnswer]?: Answer
}

/** That a request wants the time, and how it wants to recognize the answer. */
type Wanted = Pick<Asked, 'id'>

function readAccept (accept: string | undefined): Wanted | undefined {
  if (accept === undefined) return undefined
  const range = readHeaderList(accept).find(({ value }) => value === TIME_MEDIA_TYPE)
  return range && { id: readId(range.parameters) }
}

function readId (parameters: readonly string[]): string {
  for (const parameter of parameters) {
    const id = Number(ID_PARAMETER.exec(parameter)?.[2] ?? NaN)
    if (id <= MAX_ID) return `"id":${id},`
  }
  return ''
}

/** Says that upgrades would be refused, and when to try again. */
function describe (refusal: Refusal | undefined): string {
  if (refusal === undefined) return ''
  const { statusCode, code, headers } = refusal
  const retryAfter = Number(headers?.['retry-after'])
  return `,"upgrade":${JSON.stringify({ status: statusCode, code, retryAfter })}`
}
