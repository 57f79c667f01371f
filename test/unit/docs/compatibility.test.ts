import { test } from 'tap'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'

interface Manifest {
  readonly engines: { readonly node: string }
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const { rows } = findTable(documentAt('docs/reference/compatibility.md'), 'what', 'declared', 'tested')
const { engines, dependencies, devDependencies, peerDependencies }: Manifest =
  JSON.parse(readSource('package.json'))
const MATRIX = readSource('.ci/matrix')

/** The rows, without backticks; "none" is an empty list. */
const versions = rows.map(([name = '', declared = '', tested = '']) => {
  return { name: codesIn(name)[0] ?? name, declared: codesIn(declared), tested: codesIn(tested) }
})

test('the table of compatibility declares what package.json declares', async (t) => {
  const named = versions.filter(({ declared }) => declared.length > 0)
  t.strictSame(named.map(({ name, declared }) => [name, ...declared]), [
    ['Node.js', engines.node],
    ...Object.entries(peerDependencies),
    ['@fastify/websocket', dependencies['@fastify/websocket']]
  ])
})

test('the table of compatibility names the versions of .ci/matrix', async (t) => {
  const [nodes, oldest, latest] = ['NODES', 'OLDEST', 'LATEST'].map(listInMatrix)
  const testedOf = (wanted: string) => versions.find(({ name }) => name === wanted)?.tested
  t.strictSame(testedOf('Node.js'), nodes)
  for (const [index, entry] of (oldest ?? []).entries()) {
    const [, name = '', version] = /^(.+)@(.+)$/.exec(entry) ?? []
    t.strictSame(testedOf(name), [version, latest?.[index]?.slice(name.length + 1)], name)
  }
  for (const runtime of ['Bun', 'Deno']) {
    const isTested = MATRIX.includes(`\ncheck_other_runtime ${runtime} `)
    t.equal(versions.some(({ name }) => name === runtime), isTested, runtime)
  }
})

test('the table of compatibility names the versions that development depends on', async (t) => {
  const inMatrix = ['fastify', '@fastify/websocket']
  const rest = versions.filter(({ name }) => name in devDependencies && !inMatrix.includes(name))
  t.not(rest.length, 0)
  t.strictSame(rest.map(({ name, tested }) => [name, ...tested]),
    rest.map(({ name }) => [name, devDependencies[name]]))
})

test('README.md says what Node.js and Fastify the package needs', async (t) => {
  const oldest = (range = '') => /^>=(\d+\.\d+)/.exec(range)?.[1]
  t.match(documentAt('README.md'), 'needs ' +
    `Node.js ${oldest(engines.node)} or later and Fastify ${oldest(peerDependencies.fastify)} or later`)
})

/** The words of a list such as `NODES=(20 22)`. */
function listInMatrix (name: string): string[] {
  const [, words = ''] = new RegExp(`^${name}=\\((.*)\\)$`, 'm').exec(MATRIX) ?? []
  return words.split(' ')
}
