/**
 * Breaks the code in one place after another, and expects that its tests notice. What no
 * test notices is either not tested, or need not be there.
 */
import { test } from 'tap'
import { MUTATIONS } from './mutations.js'
import { copyProject } from './project-copy.js'

const project = await copyProject()

// `ONLY=drain` runs those with it in their name, file or test.
const chosen = MUTATIONS.filter((mutation) =>
  JSON.stringify(mutation).includes(process.env['ONLY'] ?? ''))

for (const file of new Set(chosen.map((mutation) => mutation.test))) {
  test(`${file} passes where nothing is broken`, async (t) => {
    const { code, stdout } = await project.runTest(file)
    t.strictSame([code, failureIn(stdout)], [0, undefined])
  })
}

for (const mutation of chosen) {
  test(`${mutation.test} fails where ${mutation.name}`, async (t) => {
    const { code, stdout } = await project.changed(mutation, () => project.runTest(mutation.test))
    t.equal(code, 1, 'the exit code')
    t.ok(failureIn(stdout), `noticed by «${failureIn(stdout)}»`)
  })
}

test('removes the copy', () => project.remove())

/** What failed first. */
function failureIn (output: string): string | undefined {
  return /^ *not ok \d+ - (.*)$/m.exec(output)?.[1]
}
