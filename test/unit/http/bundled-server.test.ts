import { join } from 'node:path'
import { build } from 'esbuild'
import { test } from 'tap'
import { bundleName, checkBundle, FORMATS, serverSource } from '../../helpers/programs/bundled-server.js'
import { pathOf } from '../../helpers/root.js'

/** What a bundler adds so that CommonJS packages find Node's modules from an ES module. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

for (const format of FORMATS) {
  test(`a server minified by esbuild as ${format} tells no detail of an error`, async (t) => {
    const outfile = join(t.testdir(), bundleName(format))
    await build({
      stdin: { contents: serverSource('./src/index.ts'), resolveDir: pathOf('.'), loader: 'js' },
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format,
      banner: { js: format === 'esm' ? REQUIRE : '' }
    })
    await checkBundle(t, outfile)
  })
}
