import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { outputOf, runProgram } from '../../helpers/programs/program.js'
import type { ProgramRun } from '../../helpers/programs/program.js'
import { pathOf } from '../../helpers/root.js'

/** A copy of this project, as it is in the work tree, that may be broken. */
export interface ProjectCopy {
  /**
   * Replaces text in a file for as long as the callback takes.
   *
   * @throws unless it is there exactly once, and what results can be parsed.
   */
  changed<Value> (change: Change, callback: () => Promise<Value>): Promise<Value>
  /** Runs one test file, to its first failure. */
  runTest (file: string): Promise<ProgramRun>
  remove (): Promise<void>
}

export interface Change {
  readonly file: string
  readonly find: string
  readonly replace: string
}

const ROOT = pathOf('./')
const TEST_LIMIT_MS = 180_000

/** Copies the files that git knows, and links the installed packages. */
export async function copyProject (): Promise<ProjectCopy> {
  const directory = await mkdtemp(join(tmpdir(), 'mutations-'))
  const files = await outputOf('git', ['ls-files', '-z'], { cwd: ROOT })
  for (const file of files.split('\0').filter((name) => name !== '')) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await copyFile(join(ROOT, file), join(directory, file))
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  return {
    async changed ({ file, find, replace }, callback) {
      const path = join(directory, file)
      const text = await readFile(path, 'utf8')
      const count = text.split(find).length - 1
      if (count !== 1) throw new Error(`${JSON.stringify(find)} occurs ${count} times in ${file}`)
      const changed = text.replace(find, () => replace)
      assertParsable(file, changed)
      await writeFile(path, changed)
      try {
        return await callback()
      } finally {
        await writeFile(path, text)
      }
    },
    runTest (file) {
      const args = ['tap', '--disable-coverage', '--jobs', '1', '--bail', '--timeout', '60', file]
      return runProgram('npx', args, { cwd: directory, limitMs: TEST_LIMIT_MS })
    },
    async remove () {
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** What cannot even be loaded fails every test, and shows nothing. */
function assertParsable (file: string, text: string): void {
  const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true })
  const [first] = diagnostics
  if (first === undefined) return
  throw new Error(`${file} cannot be parsed: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`)
}
