import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap, { test } from 'tap'
import {
  bundleName, checkBundle, FORMATS, serverSource
} from '../helpers/programs/bundled-server.js'
import { COMMONJS_PROGRAM } from '../helpers/programs/commonjs-program.js'
import { packPackage } from '../helpers/programs/packed-package.js'
import { outputOf, runProgram } from '../helpers/programs/program.js'
import { pathOf } from '../helpers/root.js'

// It installs and builds, on a machine that may be busy.
tap.setTimeout(600_000)

test('webpack and Jest, in a project of their own', async (t) => {
  const tools = pathOf('build/build-tools')
  await rm(tools, { recursive: true, force: true })
  t.teardown(() => rm(tools, { recursive: true, force: true }))
  await cp(pathOf('test/fixtures/build-tools'), tools, { recursive: true })
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock']
  await outputOf('npm', install, { cwd: tools, limitMs: 300_000 })

  for (const format of FORMATS) {
    await t.test(`a server minified by webpack as ${format} tells no detail of an error`, async (t) => {
      const folder = t.testdir({ 'entry.mjs': serverSource('./dist/index.js') })
      const filename = bundleName(format)
      const configuration = {
        mode: 'production',
        target: 'node20',
        entry: join(folder, 'entry.mjs'),
        experiments: { outputModule: format === 'esm' },
        output: { path: folder, filename, library: { type: format === 'esm' ? 'module' : 'commonjs2' } }
      }
      const args = ['bundle.js', JSON.stringify(configuration)]
      await outputOf(process.execPath, args, { cwd: tools, limitMs: 300_000 })
      await checkBundle(t, join(folder, filename))
    })
  }

  await t.test('Jest runs a CommonJS test that uses every entry', async (t) => {
    const { project } = await packPackage()
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
    await writeFile(join(project, 'time.test.js'), `${COMMONJS_PROGRAM}test('the time socket', run)`)
    const args = [join(tools, 'node_modules/jest/bin/jest.js'), '--ci']
    const settings = { cwd: project, limitMs: 120_000 }
    const { stdout, stderr } = await runProgram(process.execPath, args, settings)
    t.match(stderr, 'Tests:       1 passed, 1 total', stdout)
  })
})
