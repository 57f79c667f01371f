// node test/run.js [--watch] [OPTION ...] FILE_OR_FOLDER ...
//
// Transpiles src/, test/ and example/ into build/, and has tap run the named tests: files, or
// folders of test/. Starting a process takes more than a second, so the files of a folder of
// test/unit/ share a process, and those of all `SMALL_FOLDERS` share a single one. Any other file,
// and any file that is named itself, has its own. OPTIONs are passed on to tap: --name or
// --name=value. With --watch, the tests run again whenever a source has changed. Types are checked
// elsewhere: `npm run typecheck`.
import { spawn } from 'node:child_process'
import {
  existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, watch, writeFileSync
} from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'

const SOURCES = ['src', 'test', 'example']
const UNIT = 'build/test/unit'
const TAP = 'node_modules/tap/dist/esm/run.mjs'
// Otherwise tap loads a TypeScript compiler into each process: longer than most tests take.
const WITHOUT_COMPILER = '--test-env=TAP_TYPE_STRIP_ONLY=1'
// Folders of test/unit/ whose tests take only a few seconds.
const SMALL_FOLDERS = ['config', 'docs', 'example', 'observability', 'protocol', 'time', 'util']
const WAIT_AFTER_CHANGE_MS = 100

const args = process.argv.slice(2)
const paths = args.filter((arg) => !arg.startsWith('-'))
const options = args.filter((arg) => arg.startsWith('-') && arg !== '--watch')

if (args.includes('--watch')) watchSources()
else process.exitCode = await transpileAndRun()

/** Resolves with the exit code of tap. */
async function transpileAndRun () {
  rmSync('build', { recursive: true, force: true })
  await build({
    entryPoints: SOURCES.map((folder) => `${folder}/**/*.ts`),
    outdir: 'build',
    outbase: '.',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning'
  })
  // The server finds the files that it serves to browsers beside its own.
  symlinkSync(resolve('dist'), 'build/dist', 'junction')
  const testFiles = testFilesOf(paths)
  const child = spawn(process.execPath, [TAP, WITHOUT_COMPILER, ...options, ...testFiles], {
    stdio: 'inherit'
  })
  return await new Promise((_resolve) => child.on('close', (code) => _resolve(code ?? 1)))
}

/** The built files that tap must run for these files and folders of sources. */
function testFilesOf (paths) {
  const [files, folders] = partition(paths, (path) => path.endsWith('.ts'))
  const inFolders = folders.flatMap((folder) => {
    return readdirSync(join('build', folder), { recursive: true })
      .filter((file) => /\.(test|soak)\.js$/.test(file))
      .map((file) => join('build', folder, file))
  })
  const [shared, alone] = partition(inFolders, (file) => groupOf(file) !== undefined)
  const testFiles = [
    ...files.map((file) => join('build', file.replace(/ts$/, 'js'))), ...alone, ...writeGroups(shared)
  ]
  const missing = testFiles.find((file) => !existsSync(file))
  if (missing !== undefined) throw new Error(`there is no ${missing}`)
  if (testFiles.length === 0) throw new Error(`no tests in ${paths.join(' ')}`)
  return testFiles
}

/** Two arrays: the values that satisfy the predicate, and the others. */
function partition (values, predicate) {
  return [values.filter(predicate), values.filter((value) => !predicate(value))]
}

/**
 * The group of files that a file shares a process with. Undefined if it has its own process, like a
 * file directly in test/unit/: one of them tests what the first import of a module does.
 */
function groupOf (file) {
  const [folder, ...rest] = relative(UNIT, file).split(sep)
  if (folder === '..' || rest.length === 0) return undefined
  return SMALL_FOLDERS.includes(folder) ? 'small' : folder
}

/** Writes one file per group, which imports the group's files. Returns the paths written. */
function writeGroups (files) {
  mkdirSync('build/groups', { recursive: true })
  const groups = new Set(files.map(groupOf))
  return [...groups].map((group) => {
    const members = files.filter((file) => groupOf(file) === group).sort()
    const path = `build/groups/${group}.js`
    writeFileSync(path, members.map((file) => `import '../../${file}'\n`).join(''))
    return path
  })
}

function watchSources () {
  let timer
  let running
  const run = () => transpileAndRun().catch((error) => console.error(error.message))
  for (const folder of SOURCES.filter(existsSync)) {
    watch(folder, { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        running = running.then(run)
      }, WAIT_AFTER_CHANGE_MS)
    })
  }
  running = run()
}
