import { build } from 'esbuild'

// Makes dist/cjs/: every entry as CommonJS, for programs that cannot `require()` an ES module, such
// as Jest. Node.js does not load these files: the condition `module-sync` in package.json leads it
// to the ES modules, so that a process has one copy of each class.

const SOURCES = {
  index: 'src/index-cjs.cts',
  redis: 'src/cluster/redis/index-cjs.cts',
  'backplane-contract': 'src/cluster/contract/index-cjs.cts',
  client: 'src/browser/index.ts',
  elements: 'src/elements/index.ts',
  'elements-react': 'src/elements/react.ts'
}

/** Modules that belong to another entry: that entry is required, so that there is one copy. */
const OWNERS = {
  redis: [[/\/api\/errors\.js$/, './index.cjs']],
  elements: [[/\/browser\/index\.js$/, './client.cjs']],
  'elements-react': [[/^\.\/index\.js$/, './elements.cjs']]
}

/** Where a bundler has made an ES module of the file, there is no `__filename`. */
const FILE_URL = `"use strict";
const fileUrl = typeof __filename === 'string'
  ? require('node:url').pathToFileURL(__filename).href
  : undefined;`

for (const [name, source] of Object.entries(SOURCES)) {
  const isServer = !/^(client|elements)/.test(name)
  await build({
    entryPoints: [source],
    outfile: `dist/cjs/${name}.cjs`,
    bundle: true,
    format: 'cjs',
    target: isServer ? 'node20' : 'es2022',
    platform: isServer ? 'node' : 'neutral',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    define: name === 'index' ? { 'import.meta.url': 'fileUrl' } : {},
    banner: name === 'index' ? { js: FILE_URL } : {},
    plugins: (OWNERS[name] ?? []).map(([filter, path]) => requireInstead(filter, path))
  })
}

function requireInstead (filter, path) {
  return {
    name: 'require-instead',
    setup ({ onResolve }) {
      onResolve({ filter }, ({ kind }) => (
        kind === 'entry-point' ? undefined : { path, external: true }
      ))
    }
  }
}
