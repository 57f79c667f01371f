// node .ci/totals.mjs FILE
//
// Repeats at the end of tap's output what failed in it, each with its tests' names and what tap
// says of it; the files that are not wholly covered; and the totals as `5 passed, 4 failed, 5
// skipped`, tests that are still to do among the skipped ones. Exits with 1 unless all passed.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'

const [, , path] = process.argv
const lines = stripVTControlCharacters(readFileSync(path, 'utf8')).split(/\r?\n/)
const line = lines.findLast((line) => /^# \{ total: \d+(, \w+: \d+)* \}$/.test(line))

for (const failure of failures(lines).slice(0, 20)) console.error(failure)
// The last cell of the table has the lines that were not run.
for (const line of lines) if (/^ .*\| [\d,.-]+ *$/.test(line)) console.error(line)

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

/** What failed itself, and not only because something within it did. */
function failures (lines) {
  const found = []
  const names = []
  let within = -1
  lines.forEach((line, at) => {
    const [, indent, subtest, failed] = /^( *)(?:# Subtest: (.*)|(not ok ).*)/.exec(line) ?? []
    if (indent === undefined) return
    const depth = indent.length / 4
    if (subtest !== undefined) names.splice(depth, Infinity, subtest)
    if (!failed) return
    if (within <= depth) {
      const explained = lines[at + 1]?.trim() === '---'
      const end = lines.findIndex((line, index) => index > at && line.trim() === '...')
      const details = lines.slice(at, explained ? Math.min(end, at + 40) : at + 1)
      const told = details.map((line) => line.slice(indent.length))
      found.push([names.slice(0, depth).join(' > '), ...told].join('\n'))
    }
    within = depth
  })
  return found
}
