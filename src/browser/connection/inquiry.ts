import { TIME_PROTOCOL } from '../../protocol/time-v1.js'
import type { Environment } from '../environment.js'

/** What a plain `GET` has told of a server. */
export interface Inquiry {
  /** Of HTTP; 0 if there is no answer, or none that may be read. */
  readonly status: number
  /** Milliseconds for which it wants to be left alone: the `Retry-After` of a 429 or 503. */
  readonly waitMs: number
  /** Whether it says that it speaks `time.v1`. */
  readonly speaks: boolean
}

/** Asks by a plain `GET` why a WebSocket was refused: browsers do not tell. Never rejects. */
export async function inquire (
  url: string, { fetch, wall }: Environment, signal: AbortSignal
): Promise<Inquiry> {
  let status = 0
  let waitMs = 0
  let speaks = false
  try {
    const answer = await fetch(url.replace('ws', 'http'), { credentials: 'include', signal })
    status = answer.status
    if (status === 429 || status === 503) {
      // Seconds, or a date.
      const after = answer.headers.get('retry-after')
      waitMs = Number(after) * 1000 || Date.parse(String(after)) - wall() || 0
    }
    const { protocols } = await answer.json() as { protocols: readonly string[] }
    speaks = protocols.includes(TIME_PROTOCOL)
  } catch {
    // What was learnt until then counts.
  }
  return { status, waitMs, speaks }
}
