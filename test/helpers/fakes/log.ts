import { Writable } from 'node:stream'

/** One line of a pino log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 }

/** Captures what an application logs, from debug level up. */
export function createLog () {
  const lines: LogLine[] = []
  const stream = new Writable({
    write (chunk, _encoding, done) {
      for (const text of String(chunk).split('\n')) if (text !== '') lines.push(JSON.parse(text))
      done()
    }
  })
  return {
    lines,
    logger: { level: 'debug', stream },
    /** The messages of these lines, in order. */
    messages: (level: keyof typeof LEVELS) =>
      lines.filter((line) => line.level === LEVELS[level]).map(({ msg }) => msg)
  }
}
