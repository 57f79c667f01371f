// node .ci/totals.mjs FILE
//
// Repeats the totals at the end of tap's output as `5 passed, 4 failed, 5 skipped`, tests
// that are still to do among the skipped ones. Exits with 1 unless all of them passed.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'

const [, , path] = process.argv
const lines = stripVTControlCharacters(readFileSync(path, 'utf8')).split(/\r?\n/)
const line = lines.findLast((line) => /^# \{ total: \d+(, \w+: \d+)* \}$/.test(line))

if (line === undefined) {
  process.exitCode = 1
  console.error('tap printed no totals')
} else {
  const counts = [...line.matchAll(/(\w+): (\d+)/g)].map(([, name, count]) => [name, Number(count)])
  // tap leaves out what is zero.
  const { total, pass = 0, fail = 0, todo = 0, skip = 0 } = Object.fromEntries(counts)
  if (total === 0 || pass !== total) process.exitCode = 1
  console.log(`${pass} passed, ${fail} failed, ${skip + todo} skipped`)
}
