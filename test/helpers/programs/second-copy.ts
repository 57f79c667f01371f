import { cp, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type websocket from '@fastify/websocket'
import type * as entry from '../../../src/index.js'
import { pathOf } from '../root.js'

/** What is needed of tap's test object. */
interface Test {
  testdir (): string
  teardown (callback: () => unknown): unknown
}

const require = createRequire(import.meta.url)

/** Loads a second copy of this package, as where two packages depend on different versions. */
export async function loadSecondCopy (t: Test): Promise<typeof entry> {
  const outfile = join(t.testdir(), 'copy.mjs')
  const entryPoints = [pathOf('./src/index.ts')]
  await build({
    entryPoints, outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm'
  })
  return await import(pathToFileURL(outfile).href)
}

/** Loads a second copy of @fastify/websocket from a node_modules folder of its own. */
export async function loadSecondWebsocket (t: Test): Promise<typeof websocket> {
  const copy = join(t.testdir(), 'node_modules/@fastify/websocket')
  await mkdir(copy, { recursive: true })
  const original = dirname(require.resolve('@fastify/websocket'))
  for (const file of ['index.js', 'package.json']) await cp(join(original, file), join(copy, file))
  // Other tests of this process must not find it.
  t.teardown(() => { Reflect.deleteProperty(require.cache, join(copy, 'index.js')) })
  return require(copy)
}
