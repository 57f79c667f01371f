import { build } from 'esbuild'

/**
 * Names that parts of the client call each other by, as CONTRIBUTING.md has them: callbacks, facts
 * and lengths of time. No option, event or message has such a name, so they may be shortened.
 */
const CONVENTION = /^(on|is|was|has|can)[A-Z]|.(Ms|Bytes|Count)$/
/** Further ones: neither an option, an event or a message has such a name, nor does JavaScript. */
const WORDS = [
  'addSleep', 'beginRound', 'budget', 'burst', 'callback', 'cancel', 'choose', 'drop', 'estimates',
  'estimator', 'events', 'exchange', 'first', 'kind', 'oldSkew', 'outcome', 'patience', 'priorSkew',
  'probe', 'resolveUrl', 'resume', 'settings', 'source', 'suspend', 'update'
]
const CLIENT_NAMES = new RegExp(`${CONVENTION.source}|^(${WORDS.join('|')})$`)
/** Names of JavaScript that look the same. */
const BUILT_IN_NAMES = /^is(Array|Integer|NaN|View)$/
/** The DOM has names as in the convention, so that the elements have fewer: facts and instants. */
const ELEMENT_NAMES = /^was[A-Z]|.At$|^(adopt|trouble)$/
const ELEMENTS = 'src/elements/index.ts'

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
    // The plugin serves no maps: a comment would lead nowhere.
    sourcemap: outfile.startsWith('dist/served/') ? 'external' : true,
    mangleProps: imported === undefined ? CLIENT_NAMES : ELEMENT_NAMES,
    reserveProps: BUILT_IN_NAMES,
    plugins: imported === undefined ? [] : [importInstead(imported)]
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
