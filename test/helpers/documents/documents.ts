import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ROOT } from '../root.js'

const TOP = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'PROTOCOL.md']

/** Every document, by its path from the root: the top level, `bench/` and all of `docs/`. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  [...TOP, 'bench/README.md', ...markdownBelow('docs')].map((path) => [path, readSource(path)])
)

/** @throws when there is no such document. */
export function documentAt (path: string): string {
  const text = DOCUMENTS.get(path)
  if (text === undefined) throw new Error(`there is no document ${path}`)
  return text
}

/** The text of any file of the repository. */
export function readSource (path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** Whether there is a file or directory at this path from the root. */
export function isInRepository (path: string): boolean {
  return existsSync(new URL(path, ROOT))
}

function markdownBelow (directory: string): string[] {
  if (!isInRepository(directory)) return []
  return readdirSync(new URL(directory, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${directory}/${name}`)
    .sort()
}
