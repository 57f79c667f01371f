import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../../helpers/programs/packed-package.js'
import { runProgram } from '../../helpers/programs/program.js'

const PROGRAM = join(ROOT, '.ci/totals.mjs')
const NO_TOTALS = 'tap printed no totals\n'

const outputs: [title: string, output: string, stdout: string, code: number][] = [
  ['all passed', 'ok 1\n# { total: 14, pass: 14 }\n# time=3ms\n',
    '14 passed, 0 failed, 0 skipped', 0],
  ['some failed', '# { total: 6, pass: 4, fail: 2 }\n', '4 passed, 2 failed, 0 skipped', 1],
  ['all failed', '# { total: 2, pass: 0, fail: 2 }\n', '0 passed, 2 failed, 0 skipped', 1],
  ['some were skipped', '# { total: 5, pass: 3, skip: 2 }\n', '3 passed, 0 failed, 2 skipped', 1],
  ['some are to do', '# { total: 5, pass: 4, todo: 1 }\n', '4 passed, 0 failed, 1 skipped', 1],
  ['all of this', '# { total: 14, pass: 5, fail: 4, todo: 1, skip: 4 }\n',
    '5 passed, 4 failed, 5 skipped', 1],
  ['nothing ran', '# { total: 0, pass: 0 }\n', '0 passed, 0 failed, 0 skipped', 1],
  ['the totals do not add up', '# { total: 9, pass: 8 }\n', '8 passed, 0 failed, 0 skipped', 1],
  ['they are coloured', '\u001B[2m# { total: 3, pass: 3 }\u001B[22m\n',
    '3 passed, 0 failed, 0 skipped', 0],
  ['lines end as on Windows', '# { total: 3, pass: 3 }\r\n# time=3ms\r\n',
    '3 passed, 0 failed, 0 skipped', 0],
  ['there are other totals before', '# { total: 1, pass: 1 }\n# { total: 2, fail: 2 }\n',
    '0 passed, 2 failed, 0 skipped', 1],
  ['there are totals of a subtest after', '# { total: 2, pass: 2 }\n  # { total: 1, fail: 1 }\n',
    '2 passed, 0 failed, 0 skipped', 0]
]

for (const [title, output, stdout, code] of outputs) {
  test(`repeats the totals where ${title}`, async (t) => {
    const path = join(t.testdir({ output }), 'output')
    const run = await runProgram(process.execPath, [PROGRAM, path])
    t.strictSame(run, { code, stdout: `${stdout}\n`, stderr: '' })
  })
}

for (const output of ['', 'npm error code ELIFECYCLE\n', 'total: 3, pass: 3\n']) {
  test(`fails without totals: ${JSON.stringify(output)}`, async (t) => {
    const path = join(t.testdir({ output }), 'output')
    const run = await runProgram(process.execPath, [PROGRAM, path])
    t.strictSame(run, { code: 1, stdout: '', stderr: NO_TOTALS })
  })
}

test('repeats what failed itself, with its tests, and what is not covered', async (t) => {
  const output = `\
not ok 1 - test/0.test.ts
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - should be equal
        not ok 2 - should be equal
          ---
          diff: |
            -1
            +2
          ...
        1..2
    not ok 1 - adds # time=2ms
      ---
      at: a.test.ts
      ...
not ok 1 - test/a.test.ts # time=9ms
not ok 2 - test/b.test.ts
  a.ts         |     100 |    98.71 |     100 |     100 | 85,90-92           \n\
  b.ts         |     100 |      100 |     100 |     100 |                   \n\
# { total: 3, pass: 1, fail: 2 }
`
  const path = join(t.testdir({ output }), 'output')
  const run = await runProgram(process.execPath, [PROGRAM, path])
  t.equal(run.stdout, '1 passed, 2 failed, 0 skipped\n')
  t.equal(run.stderr, `
not ok 1 - test/0.test.ts
test/a.test.ts > adds
not ok 2 - should be equal
  ---
  diff: |
    -1
    +2

not ok 2 - test/b.test.ts
  a.ts         |     100 |    98.71 |     100 |     100 | 85,90-92           \n`)
})
