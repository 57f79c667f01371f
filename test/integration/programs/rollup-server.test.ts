import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { transform } from 'esbuild'
import { rollup } from 'rollup'
import type { Plugin } from 'rollup'
import { test } from 'tap'
import {
  bundleName, checkBundle, FORMATS, serverSource
} from '../../helpers/programs/bundled-server.js'

/** Half of the work of rollup, for what has no part in how an error is answered. */
const EXTERNAL = [
  'pino', 'light-my-request', '@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'
]

/** The types of these packages describe a CommonJS module, which they are not. */
function create (plugin: unknown): Plugin {
  return (plugin as () => Plugin)()
}

test('a server that rollup has bundled and esbuild minified tells no detail of an error', async (t) => {
  const folder = t.testdir({ 'entry.mjs': serverSource('./dist/index.js') })
  const bundle = await rollup({
    input: join(folder, 'entry.mjs'),
    external: EXTERNAL,
    plugins: [nodeResolve({ preferBuiltins: true }), create(commonjs), create(json)],
    onwarn () {}
  })
  for (const format of FORMATS) {
    await t.test(`as ${format}`, async (t) => {
      const { output: [{ code }] } = await bundle.generate({ format, inlineDynamicImports: true })
      const minified = await transform(code, { minify: true, format })
      const file = join(folder, bundleName(format))
      await writeFile(file, minified.code)
      await checkBundle(t, file)
    })
  }
  await bundle.close()
})
