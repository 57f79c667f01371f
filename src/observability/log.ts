import type { FastifyInstance } from 'fastify'
import type { ResolvedOptions } from '../api/options.js'
import { withoutUndefined } from '../util/values.js'

/** Writes the plugin's log lines. Never throws. */
export interface Log {
  debug (fields: object, message: string): void
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/**
 * Creates a child of the application's log. Logging can throw: pino marks the errors that it
 * serializes, which fails for a frozen error, and an application's serializers may throw. The line
 * is then written without its fields, or not at all, and nothing else fails.
 *
 * @param url names the time socket in each line.
 */
export function createLog<Context> (
  app: FastifyInstance,
  url: string,
  { logLevel, logSerializers }: Pick<ResolvedOptions<Context>, 'logLevel' | 'logSerializers'>
): Log {
  const settings = withoutUndefined({ level: logLevel, serializers: logSerializers })
  return safely(app.log.child({ timeSocket: url }, settings))
}

/** Wraps a log, so that it never throws. */
export function safely (log: Log): Log {
  const write = (level: keyof Log) => (fields: object, message: string) => {
    try {
      log[level](fields, message)
    } catch {
      writeWithoutFields(log, level, `${message} (its fields cannot be logged)`)
    }
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function writeWithoutFields (log: Log, level: keyof Log, message: string): void {
  try {
    log[level]({}, message)
  } catch {
    // If even this cannot be logged, there is nowhere left to report it.
  }
}
