// node .ci/summary.mjs LOG ...
//
// Repeats what failed in the TAP of these logs, and counts all of it as `5 passed, 4 failed,
// 5 skipped`, tests that are still to do among the skipped ones. Exits with 1 unless all passed.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'
import { Parser } from 'tap-parser'

const REPEATED = 40
const DETAILS = 1500
const counts = { passed: 0, failed: 0, skipped: 0 }
const failures = []

for (const path of process.argv.slice(2)) {
  const log = stripVTControlCharacters(readFileSync(path, 'utf8'))
  const parser = new Parser()
  parser.on('result', (result) => {
    if (result.skip || result.todo) counts.skipped++
    else if (result.ok) counts.passed++
    else {
      counts.failed++
      failures.push(`${path}: ${describe(result)}`)
    }
  })
  parser.end(log)
}

for (const failure of failures.slice(0, REPEATED)) console.error(failure)
if (failures.length > REPEATED) console.error(`and ${failures.length - REPEATED} more`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.passed > 0 && counts.failed === 0 ? 0 : 1

function describe ({ fullname, name, diag }) {
  const details = diag === null ? '' : JSON.stringify(diag, undefined, 2).replaceAll('\\n', '\n')
  return [fullname, name, details.slice(0, DETAILS)].join('\n  ')
}
