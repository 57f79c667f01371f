import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project. Tests run from `build/`, one folder deeper than their sources. */
export const ROOT = rootAbove(new URL('./', import.meta.url))

/** The absolute path of `path`, which is relative to the folder of the project. */
export function pathOf (path: string): string {
  return fileURLToPath(new URL(path, ROOT))
}

function rootAbove (folder: URL): URL {
  return existsSync(new URL('package.json', folder))
    ? folder
    : rootAbove(new URL('../', folder))
}
