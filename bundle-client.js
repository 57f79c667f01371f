import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'

/**
 * Names that parts of the client call each other by: callbacks, facts, and numbers with their unit.
 * No option, event or message has such a name, so they may be shortened.
 */
const CLIENT_NAMES = /^(on|is|was|has|can)[A-Z]|.(Ms|Bytes|Count)$/
/** Names of JavaScript that look the same. */
const BUILT_IN_NAMES = /^is(Array|Integer|NaN|View)$/
/** The DOM has names as in the convention, so that the elements have fewer: facts and instants. */
const ELEMENT_NAMES = /^was[A-Z]|.At$|^(adopt|trouble)$/
const ELEMENTS = 'src/elements/index.ts'

/**
 * Puts the numbers of a file in the place of their names. esbuild does so only in files that import
 * nothing; in the others as well it saves 200 bytes under gzip.
 */
const inlineNumbers = {
  name: 'inline-numbers',
  setup ({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const numbers = new Map([...source.matchAll(/^const ([A-Z_]+) = ([\d_.e-]+)$/gm)]
        .map(([, name, number]) => [name, number]))
      const inline = (name) => numbers.get(name) ?? name
      return { contents: source.replace(/(?<!const )\b[A-Z_]+\b/g, inline), loader: 'ts' }
    })
  }
}

/** `index.js` is for bundlers; the plugin serves `dist/served/` as `<url>/client.js` and so on. */
const clients = [
  { entry: 'src/browser/index.ts', outfile: 'dist/browser/index.js' },
  { entry: 'src/browser/served.ts', outfile: 'dist/served/client.js' }
]
for (const { entry, outfile } of clients) await bundle(entry, outfile)

// The elements import the client rather than contain it, so that a page loads it once.
const CLIENT = /\/browser\/index\.js$/
await bundle(ELEMENTS, 'dist/elements/index.js', { filter: CLIENT, path: '../browser/index.js' })
await bundle(ELEMENTS, 'dist/served/elements.js', { filter: CLIENT, path: './client.js' })
await bundle('src/elements/react.ts', 'dist/elements/react.js', {
  filter: /\/index\.js$/, path: './index.js'
})

/** @param imported which module is imported, and from where, rather than included. */
async function bundle (entry, outfile, imported) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // The plugin serves no maps.
    sourcemap: !outfile.startsWith('dist/served/'),
    mangleProps: imported === undefined ? CLIENT_NAMES : ELEMENT_NAMES,
    reserveProps: BUILT_IN_NAMES,
    plugins: [inlineNumbers, ...imported === undefined ? [] : [importInstead(imported)]]
  })
}

function importInstead ({ filter, path }) {
  return {
    name: 'import-instead',
    setup ({ onResolve }) {
      onResolve({ filter }, ({ kind }) => (
        kind === 'entry-point' ? undefined : { path, external: true }
      ))
    }
  }
}
