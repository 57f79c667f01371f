import { createRequire } from 'node:module'
import type { Contender } from './contender.js'
import { CONTENDERS } from './contenders.js'
import { FILTERS } from './same-samples.js'
import type { NamedFilter } from './same-samples.js'

export interface Installed {
  readonly contenders: readonly Contender[]
  readonly filters: readonly NamedFilter[]
}

/** Leaves out those whose packages are not in `bench/node_modules`, with a line each. */
export async function findInstalled (): Promise<Installed> {
  const { resolve } = createRequire(import.meta.url)

  function isThere ({ name, source, module }: Contender | NamedFilter): boolean {
    if (source !== 'package' || module === undefined) return true
    try {
      resolve(module)
      return true
    } catch {
      process.stderr.write(`${name} is not installed: left out\n`)
      return false
    }
  }

  return { contenders: CONTENDERS.filter(isThere), filters: FILTERS.filter(isThere) }
}
