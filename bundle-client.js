import { build } from 'esbuild'

/** What the parts of the client call each other by, and nobody else: it need not be readable. */
const INNER_NAMES = [
  'ageMs', 'asked', 'begin', 'burst', 'callback', 'change', 'check', 'confirm', 'dueMs', 'emit',
  'estimator', 'exchanged', 'follow', 'forget', 'heard', 'hurry', 'intervalMs', 'look', 'lose',
  'moved', 'onClose', 'onConnect', 'onHello', 'onMessage', 'onOpen', 'onRefused', 'onStep',
  'periodMs', 'receive', 'rejoin', 'run', 'scheduled', 'sentAt', 'socket', 'speaks', 'start',
  'toldMs', 'valueMs', 'wait', 'waitMs', 'widthMs'
]

await build({
  entryPoints: ['src/browser/index.ts'],
  outfile: 'dist/browser/index.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  sourcemap: true,
  mangleProps: new RegExp(`^(${INNER_NAMES.join('|')})$`)
})
