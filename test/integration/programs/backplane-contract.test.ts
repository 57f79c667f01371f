import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { packPackage } from '../../helpers/programs/packed-package.js'
import { outputOf } from '../../helpers/programs/program.js'
import { pathOf } from '../../helpers/root.js'

const LIMIT_MS = 180_000

test('the contract test of the package runs in node:test, on a driver from elsewhere', {
  timeout: LIMIT_MS
}, async (t) => {
  const { project } = await packPackage()
  await cp(pathOf('test/fixtures/backplane'), join(project, 'backplane'), { recursive: true })
  const args = ['--test', '--test-reporter=tap', 'backplane/node.test.js']
  const settings = { cwd: project, limitMs: LIMIT_MS }
  // Ten tests of delivery, and five of outages.
  t.match(await outputOf(process.execPath, args, settings), /^# pass 15$/m)
})
