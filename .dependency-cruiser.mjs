// Which folders of src/ a folder may import, types included: only folders that stand above it here.
const MAY_IMPORT = {
  api: [],
  util: ['api'],
  protocol: ['api', 'util'],
  observability: ['api', 'util'],
  time: ['api', 'util', 'protocol', 'observability'],
  config: ['api', 'util', 'protocol', 'time'],
  cluster: ['api', 'util', 'protocol', 'observability', 'config'],
  connections: ['api', 'util', 'protocol', 'observability', 'time'],
  delivery: ['api', 'util', 'protocol', 'observability', 'time', 'cluster', 'connections'],
  'http/upgrade': ['api', 'util', 'observability'],
  http: ['api', 'util', 'protocol', 'observability', 'time', 'connections'],
  browser: ['protocol/time-v1.ts'],
  elements: ['browser']
}

const folderRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-${allowed.join('-') || 'packages'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map(toPattern) }
}))

/** A folder, or a single file. */
function toPattern (name) {
  return name.includes('.') ? `^src/${name}$` : `^src/${name}/`
}

export default {
  forbidden: [
    ...folderRules,
    { name: 'no-circle-of-files', severity: 'error', from: {}, to: { circular: true } }
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // The CommonJS entry declares the interfaces that users augment: it is above and below api/.
    exclude: { path: 'index-cjs\\.cts$' }
  }
}
