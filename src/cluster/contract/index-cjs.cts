import type * as entry from './index.js' with { 'resolution-mode': 'import' }

// Node loads ES modules through require since 20.19: there is one instance for all callers.
const contract: typeof entry = require('./index.js')

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace contract {
  export type Backplane = entry.Backplane
  export type BackplaneContractOptions<Engine extends entry.BackplaneEngine> =
    entry.BackplaneContractOptions<Engine>
  export type BackplaneContractTest = entry.BackplaneContractTest
  export type BackplaneEngine = entry.BackplaneEngine
  export type Deliver = entry.Deliver
}

export = contract
