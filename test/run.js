// node test/run.js [--watch] [OPTION ...] PATH ...
//
// Transpiles src/, test/ and example/ into build/, and has tap run the tests in PATH: files, or
// folders of test/. The files of test/unit/'s folders share a few processes, because starting one
// takes more than a second; any other file, and any that PATH names, has its own.
// OPTIONs are tap's. With --watch, it runs the tests again whenever a source has changed.
// Types are checked elsewhere: `npm run typecheck`.
import { spawn } from 'node:child_process'
import {
  existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, watch, writeFileSync
} from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'

const SOURCES = ['src', 'test', 'example']
const UNIT = 'build/test/unit'
const TAP = 'node_modules/tap/dist/esm/run.mjs'
// Otherwise tap loads a TypeScript compiler into each process: longer than most tests take.
const WITHOUT_COMPILER = '--test-env=TAP_TYPE_STRIP_ONLY=1'
const SHARED_PROCESSES = 6
const SETTLING_MS = 100

const args = process.argv.slice(2)
const paths = args.filter((arg) => !arg.startsWith('-'))
const options = args.filter((arg) => arg.startsWith('-') && arg !== '--watch')

process.exitCode = await transpileAndRun()
if (args.includes('--watch')) watchSources()

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
  const files = paths.flatMap(testsIn)
  if (files.length === 0) throw new Error(`no tests in ${paths.join(' ')}`)
  const child = spawn(process.execPath, [TAP, WITHOUT_COMPILER, ...options, ...files], {
    stdio: 'inherit'
  })
  return await new Promise((_resolve) => child.on('close', (code) => _resolve(code ?? 1)))
}

/** The files for tap to run, of a file or folder of sources. */
function testsIn (path) {
  const built = join('build', path)
  if (path.endsWith('.ts')) return [built.replace(/ts$/, 'js')]
  const files = readdirSync(built, { recursive: true })
    .filter((file) => /\.(test|soak)\.js$/.test(file))
    .map((file) => join(built, file))
  const groups = groupBy(files, groupOf)
  const alone = groups.get(undefined) ?? []
  groups.delete(undefined)
  return [...alone, ...writeGroups(groups)]
}

/** As Map.groupBy, which Node.js 20 lacks. */
function groupBy (values, keyOf) {
  const groups = new Map()
  for (const value of values) {
    const key = keyOf(value)
    groups.set(key, [...groups.get(key) ?? [], value])
  }
  return groups
}

/** The folder of test/unit/ that a file is in; undefined if it runs in a process of its own. */
function groupOf (file) {
  const [folder, ...rest] = relative(UNIT, file).split(sep)
  return folder === '..' || rest.length === 0 ? undefined : folder
}

/** Writes a program for each shared process, which are about equally large. */
function writeGroups (groups) {
  mkdirSync('build/groups', { recursive: true })
  const sizeOf = (files) => files.reduce((sum, file) => sum + statSync(file).size, 0)
  const folders = [...groups].map(([name, files]) => ({ name, files, size: sizeOf(files) }))
  const programs = Array.from({ length: SHARED_PROCESSES }, () => (
    { names: [], files: [], size: 0 }
  ))
  for (const folder of folders.sort((a, b) => b.size - a.size)) {
    const smallest = programs.reduce((a, b) => a.size <= b.size ? a : b)
    smallest.names.push(folder.name)
    smallest.files.push(...folder.files.sort())
    smallest.size += folder.size
  }
  return programs.filter(({ files }) => files.length > 0).map(({ names, files }) => {
    const program = `build/groups/${names.join('-')}.js`
    writeFileSync(program, files.map((file) => `import '../../${file}'\n`).join(''))
    return program
  })
}

function watchSources () {
  let settling
  let running = Promise.resolve()
  for (const folder of SOURCES.filter(existsSync)) {
    watch(folder, { recursive: true }, () => {
      clearTimeout(settling)
      settling = setTimeout(() => {
        running = running.then(transpileAndRun).catch((error) => console.error(error.message))
      }, SETTLING_MS)
    })
  }
}
