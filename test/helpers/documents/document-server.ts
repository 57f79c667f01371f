import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { toModule } from './document-programs.js'
import type { Program } from './document-programs.js'
import { startRedis } from '../programs/redis.js'

const ENTRY = new URL('../../../src/index.js', import.meta.url).href

/** Runs a server in this process. @returns its `app`, which is closed when the test ends. */
export async function run (
  t: Test, program: Program, files: Record<string, string> = {}
): Promise<FastifyInstance> {
  const { app } = await load(t, program, files)
  return app
}

/** The same. @returns all that it exports. */
export async function load (t: Test, program: Program, files: Record<string, string> = {}) {
  const redis = program.source.includes('port: 6379') ? await startRedis(t) : undefined
  const directory = t.testdir({ ...files, 'server.mjs': toModule(program, ENTRY, redis?.port) })
  const before = process.listeners('SIGTERM')
  const exported = await import(pathToFileURL(`${directory}/server.mjs`).href)
  t.teardown(() => exported.app.close())
  for (const listener of process.listeners('SIGTERM')) {
    if (!before.includes(listener)) process.off('SIGTERM', listener)
  }
  return exported
}
