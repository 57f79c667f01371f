import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { importsOf } from '../../helpers/documents/imports.js'
import { runProgram } from '../../helpers/programs/program.js'
import { pathOf } from '../../helpers/root.js'

const ROOT = pathOf('./')
const TSC = join(ROOT, 'node_modules/@typescript/native/bin/tsc')

/** A line each, and the error that it is. */
const lines: [line: string, error: string | undefined][] = [
  ["import type { TickMessage } from '../protocol/time-v1.js'", undefined],
  ["import { readHeaderList } from '../util/header-list.js'", 'TS6307'],
  ["import { readFile } from 'node:fs'", 'TS2591'],
  ['export const ok = (message: TickMessage, page: Document) => [message.seq, page.title]', undefined],
  ['export const bad = [readHeaderList, readFile]', undefined],
  ['export const node = process', 'TS2591']
]

test('code of the server or of Node.js does not compile in the browser client', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'time-socket-client-'))
  t.teardown(() => rm(copy, { recursive: true }))
  for (const name of ['src', 'tsconfig.json', 'package.json']) {
    await cp(join(ROOT, name), join(copy, name), { recursive: true })
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction')
  const added = lines.map(([line]) => `${line}\n`).join('')
  await writeFile(join(copy, 'src/browser/added.ts'), added)

  const settings = { cwd: copy, limitMs: 90_000 }
  const { stdout } = await runProgram(process.execPath, [TSC, '-p', 'src/browser'], settings)
  const found = stdout.matchAll(/^src\/browser\/added\.ts\((\d+),.*(TS\d+):/gm)
  const errors = new Map([...found].map(([, number, code]) => [Number(number), code]))
  t.strictSame(lines.map(([line], index) => [line, errors.get(index + 1)]), lines)
})

test('the built client imports nothing', async (t) => {
  t.strictSame(importsOf(await readFile(join(ROOT, 'dist/browser/index.js'), 'utf8')), [])
})
