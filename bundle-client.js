import { existsSync } from 'node:fs'
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
if (existsSync(ELEMENTS)) {
  await bundle(ELEMENTS, 'dist/elements/index.js', '../browser/index.js')
  await bundle(ELEMENTS, 'dist/served/elements.js', './client.js')
}

/** @param client what is imported instead of `src/browser/index.ts`; undefined: it is included. */
async function bundle (entry, outfile, client) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    sourcemap: true,
    mangleProps: new RegExp(`^(${INNER_NAMES.join('|')})$`),
    plugins: client === undefined ? [] : [importInstead(client)]
  })
}

function importInstead (path) {
  return {
    name: 'import-client',
    setup ({ onResolve }) {
      onResolve({ filter: /\/browser\/index\.js$/ }, () => ({ path, external: true }))
    }
  }
}
