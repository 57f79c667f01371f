import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { test } from 'tap'

const ENTRY = fileURLToPath(new URL('../../dist/client/index.js', import.meta.url))
const LIMIT_BYTES = 5120

test('the client, bundled and minified, is small under gzip -9', async (t) => {
  const { outputFiles } = await build({
    entryPoints: [ENTRY], bundle: true, minify: true, format: 'esm', write: false
  })
  const [script] = outputFiles
  const { length } = gzipSync(script?.contents ?? '', { level: 9 })
  t.comment(`${length} bytes`)
  t.ok(length > 1000 && length <= LIMIT_BYTES, `is ${length} bytes`)
})
