import { posix } from 'node:path'
import { importsOf, packageOf } from './imports.js'
import type { Import } from './imports.js'
import { codesIn, findTable } from './markdown.js'

/** What each file imports, or may: modules of ours without their ending, and packages. */
export type Architecture = ReadonlyMap<string, readonly string[]>

const COLUMNS = ['file', 'what it is', 'may import']

/**
 * Reads the table `| file | what it is | may import |`.
 *
 * @throws when there is no such table, or two rows for a file.
 */
export function parseArchitecture (markdown: string): Architecture {
  const architecture = new Map<string, string[]>()
  for (const [fileCell = '', , importsCell = ''] of findTable(markdown, ...COLUMNS).rows) {
    const [file = fileCell] = codesIn(fileCell)
    if (architecture.has(file)) throw new Error(`there are two rows for ${file}`)
    architecture.set(file, codesIn(importsCell))
  }
  return architecture
}

/** Reads the imports of all files, given their sources; imports for their types count as well. */
export function readArchitecture (sources: ReadonlyMap<string, string>): Architecture {
  return mapImports(sources, () => true)
}

/** Reads the imports that are left when the files run. */
export function readRuntime (sources: ReadonlyMap<string, string>): Architecture {
  return mapImports(sources, ({ isTypeOnly }) => !isTypeOnly)
}

/** Says in sentences in what the files differ from the table; nothing if they do not. */
export function findDeviations (table: Architecture, files: Architecture): string[] {
  const missing = [...files.keys()].filter((file) => !table.has(file))
  const deviations = missing.map((file) => `${file} is not in the table`)
  for (const [file, allowed] of table) {
    const used = files.get(file)
    if (used === undefined) {
      deviations.push(`${file} is in the table, but is no file`)
      continue
    }
    const forbidden = used.filter((name) => !allowed.includes(name))
    deviations.push(...forbidden.map((name) => `${file} imports ${name}, which it may not`))
    const unused = allowed.filter((name) => !used.includes(name))
    deviations.push(...unused.map((name) => `${file} may import ${name}, but does not`))
  }
  return deviations
}

/** @returns a cycle, from a module to itself; empty if there is none. */
export function findCycle (architecture: Architecture): string[] {
  const edges = new Map([...architecture].map(([file, names]) => [withoutEnding(file), names]))
  const finished = new Set<string>()

  function search (name: string, path: readonly string[]): string[] {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (finished.has(name)) return []
    for (const next of edges.get(name) ?? []) {
      const cycle = search(next, [...path, name])
      if (cycle.length > 0) return cycle
    }
    finished.add(name)
    return []
  }

  for (const name of edges.keys()) {
    const cycle = search(name, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

function mapImports (
  sources: ReadonlyMap<string, string>, isWanted: (found: Import) => boolean
): Architecture {
  return new Map([...sources].map(([file, source]) => {
    const names = importsOf(source).filter(isWanted)
      .map(({ specifier }) => packageOf(specifier) ?? moduleAt(file, specifier))
    return [file, [...new Set(names)]]
  }))
}

/** The name of the module that `specifier` leads to: its path from the root without its ending. */
function moduleAt (file: string, specifier: string): string {
  return withoutEnding(posix.join(posix.dirname(file), specifier))
}

function withoutEnding (file: string): string {
  return file.replace(/\.[cm]?[jt]s$/, '')
}
