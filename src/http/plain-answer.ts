import type {
  FastifyReply, FastifyRequest, onSendHookHandler, RouteHandlerMethod
} from 'fastify'
import { SERVER_ID, toHundredths } from '../protocol/time-v1-text.js'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import type { WallClock } from '../time/wall-clock.js'
import { readHeaderList } from '../util/header-list.js'
import { addVary } from './origin-check.js'
import { isHandled, markHandled } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'

export interface PlainAnswerOptions {
  clock: WallClock
  /** Milliseconds between two ticks. */
  intervalMs: number
  /** Returns why an upgrade would be refused for capacity; undefined if there is room. */
  checkCapacity: (request: FastifyRequest) => Refusal | undefined
  /** The application's handler for requests that do not ask for the time. */
  handler: RouteHandlerMethod | undefined
}

/** Answers plain HTTP on the time socket's URL. */
export interface PlainAnswers {
  /** The route's handler. */
  readonly handler: RouteHandlerMethod
  /**
   * An `onSend` hook that writes the current time into the answer. It runs after the application's
   * `onSend` hooks.
   */
  readonly refresh: onSendHookHandler
}

/** A request whose `Accept` header lists this type gets the time, even if `handler` is set. */
const TIME_MEDIA_TYPE = 'application/vnd.time-socket+json'
const ID_PARAMETER = /^id=("?)(\d{1,10})\1$/
const MAX_ID = 2 ** 31 - 1

/**
 * Creates the answers to plain HTTP. Without the option `handler`, the answer is the time: for
 * health checks, curl, pages whose upgrade was refused, and clients that sync over HTTP.
 */
export function createPlainAnswers (options: PlainAnswerOptions): PlainAnswers {
  const { clock, intervalMs, checkCapacity, handler: appHandler } = options
  const schedule = `,"interval":${intervalMs},"clockSteps":`
  const server = `,"server":"${SERVER_ID}","protocols":["${TIME_PROTOCOL}"]`

  function write ({ elapsedTime }: FastifyReply, { id, upgrade }: Asked): string {
    // elapsedTime must be read first. A stall between the two readings then makes the arrival look
    // later than it was, which the client's error bound covers. It does not cover the reverse.
    const hold = toHundredths(elapsedTime)
    const now = toHundredths(clock.now())
    return `{${id}"now":${now},"hold":${hold}${schedule}${clock.clockSteps}${server}${upgrade}}`
  }

  function sendTime (request: PlainRequest, reply: FastifyReply, wanted: Wanted | undefined): void {
    // While no client is connected, nothing else looks for clock steps.
    clock.readClocks()
    const asked = { id: wanted?.id ?? '', upgrade: describeRefusal(checkCapacity(request)) }
    const text = write(reply, asked)
    setAnswer(request, { asked, text })
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
      if (appHandler === undefined || wanted !== undefined) {
        return sendTime(request, reply, wanted)
      }
      setAnswer(request, BY_APP)
      return appHandler.call(this, request, reply)
    },
    refresh (request: PlainRequest, reply, payload, done) {
      const { asked, text } = request[kAnswer] ?? BY_APP
      if (request[kAnswer] === BY_APP) addVary(reply, 'accept')
      // The hooks may have been slow, so the time is read again. A body that a hook has changed,
      // or whose length it has set, is sent unchanged.
      const isUnchanged = asked !== undefined && payload === text && !reply.hasHeader('content-length')
      done(null, isUnchanged ? write(reply, asked) : payload)
    }
  }
}

function setAnswer (request: PlainRequest, answer: Answer): void {
  request[kAnswer] = answer
  markHandled(request)
}

/** True if the application's handler answers this request. */
export function isAnsweredByApp (request: FastifyRequest): boolean {
  return (request as PlainRequest)[kAnswer] === BY_APP && isHandled(request)
}

/** The parts of an answer that depend on the request, as JSON text. */
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

const BY_APP: Answer = {}
const kAnswer = Symbol('time-socket-answer')

interface PlainRequest extends FastifyRequest {
  [kAnswer]?: Answer
}

/** Set if a request asks for the time: the id that the answer must repeat. */
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

/** Writes the field `upgrade`: why an upgrade would be refused, and when to try again. */
function describeRefusal (refusal: Refusal | undefined): string {
  if (refusal === undefined) return ''
  const { statusCode, code, headers } = refusal
  const retryAfter = Number(headers?.['retry-after'])
  return `,"upgrade":${JSON.stringify({ status: statusCode, code, retryAfter })}`
}
