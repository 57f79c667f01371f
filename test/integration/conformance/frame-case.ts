import { CONTINUATION, frame } from '../../helpers/hostile/frames.js'

/** What a client writes once it is connected, and all that must come of it. */
export interface FrameCase {
  /** The section of RFC 6455 that demands it, and what it demands. */
  readonly title: string
  readonly bytes: Buffer
  /** What the application is given: text as a string, binary as a Buffer. */
  readonly messages: readonly (string | Buffer)[]
  /**
   * What comes back, as `pong payload` and `close 1000 reason`. Where the last is no `close`, the
   * connection is still open.
   */
  readonly frames: readonly string[]
}

type Parts = Buffer | readonly Buffer[]

/** Nothing comes back, and the connection stays open. */
export function taken (
  title: string, bytes: Parts, ...messages: readonly (string | Buffer)[]
): FrameCase {
  return { title, bytes: join(bytes), messages, frames: [] }
}

/** These frames come back, and the application is told nothing. */
export function answered (title: string, bytes: Parts, ...frames: readonly string[]): FrameCase {
  return { title, bytes: join(bytes), messages: [], frames }
}

/** The connection is failed with this code, and the application is told nothing. */
export function failed (title: string, code: number, bytes: Parts): FrameCase {
  return answered(title, bytes, `close ${code}`)
}

/** The frames of one message: each part in one of its own. */
export function fragments (opcode: number, parts: readonly (string | Buffer)[]): Buffer[] {
  return parts.map((payload, index) => frame({
    opcode: index === 0 ? opcode : CONTINUATION, fin: index === parts.length - 1, payload
  }))
}

/** Bytes written in hexadecimal. */
export function hex (digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

function join (bytes: Parts): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes as readonly Buffer[])
}
