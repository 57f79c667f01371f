import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createLog } from '../fakes/log.js'
import { terminateInjected } from './peer.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

const untilNextTickMs = (intervalMs: number) => intervalMs - Date.now() % intervalMs

/**
 * An interval for tests that want no tick but the immediate one. Ticks come at whole multiples of
 * the interval since 1970, so even a daily tick is due soon just before midnight UTC. Until 2100,
 * the ticks of these two intervals are hours apart: this is the one whose next tick is later.
 */
export const TICKLESS_INTERVAL_MS = untilNextTickMs(86_400_000) > untilNextTickMs(86_399_000)
  ? 86_400_000
  : 86_399_000

/** An application with a captured log that is closed when the test ends. */
export function createApp (t: Test, serverOptions: FastifyServerOptions = {}) {
  const log = createLog()
  const options = { logger: log.logger, forceCloseConnections: true, ...serverOptions }
  const app: FastifyInstance = Fastify(options)
  t.teardown(async () => {
    await app.close()
    terminateInjected(app)
  })
  return { app, log }
}

/** A ready application with a time socket at `/time`, by default with only the immediate tick. */
export async function createTimeApp<Context = {}> (
  t: Test, options: TimeSocketOptions<Context> = {}, serverOptions: FastifyServerOptions = {}
) {
  const { app, log } = createApp(t, serverOptions)
  const allOptions = { interval: TICKLESS_INTERVAL_MS, ...options } as TimeSocketOptions
  await app.register(timeSocket, allOptions)
  await app.ready()
  return { app, log, timeSocket: app.timeSocket }
}

/** Starts listening on a free port. @returns the port. */
export async function listen (app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}
