import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { parseBlocks } from './markdown.js'
import type { Block } from './markdown.js'
import { ROOT as ROOT_URL } from '../root.js'

/**
 * A block as a program of its own. `ts` is a server: what it uses of `fastify`,
 * `timeSocket` and `app` without importing or declaring it is put before it.
 * `js` is a script of a page, and stays as it is.
 */
export interface Program {
  readonly language: 'ts' | 'js'
  readonly source: string
  /** Where its block stands, as `README.md:12`. */
  readonly place: string
  /** The path of the document. */
  readonly file: string
  /** The name that the first line gives it, as in `// clock.js`: other blocks can import it. */
  readonly name: string | undefined
  /** What to add to a line of `source` to get the line of the file. */
  readonly lineOffset: number
}

/** What a `ts` block goes on from, line by line: left out where the block has its own. */
const PRELUDE: readonly [own: RegExp, line: string][] = [
  [/^import fastify from 'fastify'$/m, "import fastify from 'fastify'"],
  [
    /^import timeSocket from 'fastify-time-socket'$/m,
    "import timeSocket from 'fastify-time-socket'"
  ],
  [/^const app = fastify\(/m, 'const app = fastify()']
]

const ROOT = fileURLToPath(ROOT_URL)
const SETTINGS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  paths: {
    'fastify-time-socket': [`${ROOT}src/index.ts`],
    'fastify-time-socket/client': [`${ROOT}src/browser/index.ts`],
    'fastify-time-socket/redis': [`${ROOT}src/cluster/redis/index.ts`]
  },
  allowJs: true,
  checkJs: true,
  strict: true,
  noImplicitAny: true,
  skipLibCheck: true,
  noEmit: true
}

export function parsePrograms (file: string, markdown: string): Program[] {
  return parseBlocks(markdown).flatMap((block) => {
    const { language } = block
    return language === 'ts' || language === 'js' ? toProgram(file, language, block) : []
  })
}

function toProgram (file: string, language: 'ts' | 'js', { code, line }: Block): Program {
  const missing = language === 'js' ? [] : PRELUDE.filter(([own]) => !own.test(code))
  const prelude = missing.map(([, text]) => `${text}\n`)
  const source = prelude.join('') + code
  const lineOffset = line - 1 - prelude.length
  const [, name] = /^\/\/ (\S+\.js)\n/.exec(code) ?? []
  return { language, source, place: `${file}:${line}`, file, name, lineOffset }
}

/**
 * Type-checks the programs. Those that augment a module are each checked alone, as they
 * would change what the others are checked against.
 *
 * @returns what is wrong with them, as `README.md:12: …`.
 */
export function check (programs: readonly Program[]): string[] {
  const isAlone = ({ source }: Program) => /^declare module /m.test(source)
  const together = programs.filter((program) => !isAlone(program))
  const groups = [together, ...programs.filter(isAlone).map((program) => [program])]
  return groups.flatMap(checkGroup)
}

function checkGroup (programs: readonly Program[]): string[] {
  const byPath = new Map(programs.map((program) => [pathOf(program), program]))
  const host = ts.createCompilerHost(SETTINGS)
  const { fileExists, directoryExists, readFile, getSourceFile } = host
  const directories = new Set([...byPath.keys()].map((path) => dirname(path)))
  host.fileExists = (path) => byPath.has(path) || fileExists(path)
  host.directoryExists = (path) => directories.has(path) || (directoryExists?.(path) ?? true)
  host.readFile = (path) => byPath.get(path)?.source ?? readFile(path)
  host.getSourceFile = (path, settings, onError) => {
    const source = byPath.get(path)?.source
    if (source !== undefined) return ts.createSourceFile(path, source, settings, true)
    const file = parsed.get(path) ?? getSourceFile(path, settings, onError)
    if (file !== undefined) parsed.set(path, file)
    return file
  }
  const compiled = ts.createProgram([...byPath.keys()], SETTINGS, host)
  return [...byPath].flatMap(([path, program]) => {
    const file = compiled.getSourceFile(path)
    const diagnostics =
      [...compiled.getSyntacticDiagnostics(file), ...compiled.getSemanticDiagnostics(file)]
    return diagnostics.map((diagnostic) => describe(diagnostic, program))
  })
}

/** Files that all groups share, parsed once. */
const parsed = new Map<string, ts.SourceFile>()

/** Named programs of one document share a folder. */
function pathOf ({ place, file, name, language }: Program): string {
  if (name !== undefined) return `${ROOT}${file.replace(/\W/g, '-')}/${name}`
  return `${ROOT}${place.replace(/\W/g, '-')}.${language}`
}

function describe ({ file, start = 0, messageText }: ts.Diagnostic, program: Program): string {
  const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: 0 }
  const message = ts.flattenDiagnosticMessageText(messageText, ' ')
  return `${program.file}:${line + 1 + program.lineOffset}: ${message}`
}

/** The inline scripts of a page. */
export function scriptsIn (html: string): string[] {
  return [...html.matchAll(/<script(?: type="module")?>([^]*?)<\/script>/g)]
    .map(([, script = '']) => script)
}

/** @returns why the script does not parse; nothing if it does. */
export function syntaxErrors (script: string): string[] {
  const { diagnostics = [] } = ts.transpileModule(script, {
    reportDiagnostics: true, fileName: 'script.js', compilerOptions: { allowJs: true }
  })
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}

/**
 * A `ts` program as a module that runs here: against our sources, on a free port, and with its
 * `app` exported.
 *
 * @param entryUrl our main entry; others lie below its directory.
 * @param redisPort where there is a Redis for it.
 */
export function toModule ({ source }: Program, entryUrl: string, redisPort = 0): string {
  const local = source
    .replaceAll("'fastify-time-socket'", JSON.stringify(entryUrl))
    .replaceAll("'fastify-time-socket/redis'", JSON.stringify(new URL('cluster/redis/index.js', entryUrl)))
    .replaceAll('port: 6379', `port: ${redisPort}`)
    .replaceAll('port: 3000', "port: 0, host: '127.0.0.1'")
  const { outputText } = ts.transpileModule(`${local}export { app }\n`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 }
  })
  return outputText
}
