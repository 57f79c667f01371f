import { test } from 'tap'
import { documentAt, isInRepository, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'
import { defaults } from '../../helpers/documents/option-table.js'

test('the table of threats names options with their defaults, and existing tests', async (t) => {
  const { rows } = findTable(documentAt('SECURITY.md'), 'threat', 'defence', 'option')
  const named = rows.filter(([, , option]) => option !== 'none')
    .map(([, , option, value]) => `${option} ${value}`)
  t.ok(named.length > 10)
  t.strictSame(named.filter((row) => !defaults().includes(row)), [])
  const files = rows.map(([, , , , tests = '']) => codesIn(tests))
  t.strictSame(files.filter((paths) => paths.length === 0), [])
  t.strictSame(files.flat().filter((path) => !isInRepository(path)), [])
})

test('the table of dependencies lists the dependencies of package.json, by kind', async (t) => {
  const manifest = JSON.parse(readSource('package.json'))
  const expected = Object.entries({
    peer: manifest.peerDependencies,
    runtime: manifest.dependencies,
    dev: manifest.devDependencies
  }).flatMap(([kind, versions]) => Object.keys(versions).map((name) => `${name} ${kind}`))
  const { rows } = findTable(documentAt('docs/internals/decisions.md'), 'package', 'kind', 'why')
  const named = rows.flatMap(([name = '', kinds = '']) =>
    kinds.split(', ').map((kind) => `${codesIn(name)[0]} ${kind}`))
  t.strictSame(named.sort(), expected.sort())
})
