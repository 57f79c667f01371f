import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { OutputFile } from 'esbuild'

/** Where the packages of `bench/` are; this package is found from there as well. */
const BENCH = fileURLToPath(new URL('../../../../', import.meta.url))

/**
 * What a browser loads for a module, in bytes: bundled, minified and compressed by gzip -9.
 *
 * @returns undefined where it is not installed.
 */
export async function measureSize (module: string): Promise<number | undefined> {
  const [bundle] = await bundleOf(module).catch(() => [])
  return bundle && gzipSync(bundle.contents, { level: 9 }).length
}

async function bundleOf (module: string): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(module)}`, resolveDir: BENCH },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent'
  })
  return outputFiles
}
