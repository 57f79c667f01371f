import { build } from 'esbuild'

/** What the parts of the client call each other by, and nobody else: it need not be readable. */
const INNER_NAMES = [
  'ageMs', 'asked', 'begin', 'burst', 'callback', 'change', 'check', 'confirm', 'dueMs', 'emit',
  'estimator', 'exchanged', 'follow', 'forget', 'heard', 'hurry', 'intervalMs', 'look', 'lose',
  'moved', 'onClose', 'onConnect', 'onHello', 'onMessage', 'onOpen', 'onRefused', 'onStep',
  'periodMs', 'receive', 'rejoin', 'run', 'scheduled', 'sentAt', 'socket', 'speaks', 'start',
  'toldMs', 'valueMs', 'wait', 'waitMs', 'widthMs'
]
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
    sourcemap: true,
    mangleProps: new RegExp(`^(${INNER_NAMES.join('|')})$`),
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
