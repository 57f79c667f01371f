import { readdirSync } from 'node:fs'
import { test } from 'tap'
import { readSource } from '../../helpers/documents/documents.js'
import { ROOT } from '../../helpers/root.js'

const FOLDER = '.github/workflows/'
const NAMES = readdirSync(new URL(FOLDER, ROOT))
const workflowOf = (name: string) => readSource(FOLDER + name)

test('the CI workflow runs what .ci/run checks, and may write nothing', async (t) => {
  t.match(workflowOf('ci.yml'), /^ +- run: \.ci\/run$/m)
  t.notMatch(workflowOf('ci.yml'), /: write$/m)
})

test('only a maintainer starts the release workflow', async (t) => {
  t.match(workflowOf('release.yml'), /^on: workflow_dispatch$/m)
})

test('the release workflow publishes with provenance, after the checks of CI', async (t) => {
  const [, publish = ''] = workflowOf('release.yml').split(/^ {2}publish:$/m)
  t.match(publish, /^ {4}needs: check$/m)
  t.match(publish, /^ {6}id-token: write$/m)
  t.match(publish, /^ +npm publish --provenance /m)
})

test('workflows take actions by their commit, and name no host', async (t) => {
  for (const name of NAMES) {
    const uses = [...workflowOf(name).matchAll(/uses: (\S+)/g)].map(([, action = '']) => action)
    t.strictSame(uses.filter((action) => !/^\.\/|@[0-9a-f]{40}$/.test(action)), [], name)
    t.notMatch(workflowOf(name), /https?:|registry/, name)
  }
})
