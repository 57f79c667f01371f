// node .ci/release-check.mjs
//
// Says what still keeps this version from being published, one line each, and exits with 1 if there
// is anything. Reads package.json, CHANGELOG.md, README.md and the files that npm would pack: run
// `npm run build` first. `npm publish` runs it as part of `prepublishOnly`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

/** Fields of package.json that only the owner can fill, and why a release needs them. */
const OWNERS_FIELDS = {
  author: 'users must know who is responsible',
  bugs: 'users must know where to report a problem',
  homepage: "npm's page links to it",
  repository: "npm's page resolves relative links of README.md by it, and provenance names it"
}

/** What the package consists of. */
const TOP_LEVEL = [
  'CHANGELOG.md', 'LICENSE', 'PROTOCOL.md', 'README.md', 'SECURITY.md', 'dist', 'docs', 'package.json', 'src'
]

/** Home folders of any machine. Those of this machine are added. */
const HOME = /(?:\/home\/|\/Users\/|[A-Z]:\\+Users\\+)[\w.-]+/

/**
 * @param {object} release
 * @param {Record<string, unknown>} release.manifest package.json
 * @param {string} release.changelog CHANGELOG.md
 * @param {ReadonlyMap<string, string>} release.packed the text of each packed file, by its path
 * @param {(path: string) => boolean} release.isInRepository
 * @param {string[]} [release.machinePaths] folders of this machine
 * @returns {string[]} what is wrong, one sentence each
 */
export function problemsOf ({ manifest, changelog, packed, isInRepository, machinePaths = [] }) {
  return [
    ...missingFields(manifest),
    ...changelogProblems(changelog, manifest.version),
    ...topLevelProblems(packed),
    ...[...packed].flatMap(([path, text]) => pathProblems(path, text, machinePaths)),
    ...linkProblems(packed, isInRepository)
  ]
}

function missingFields (manifest) {
  return Object.entries(OWNERS_FIELDS)
    .filter(([field]) => !manifest[field])
    .map(([field, reason]) => `package.json has no "${field}": ${reason}`)
}

function changelogProblems (changelog, version) {
  const heading = changelog.split('\n').find((line) => line.startsWith(`## [${version}]`))
  if (heading === undefined) return [`CHANGELOG.md has no heading "## [${version}] - YYYY-MM-DD"`]
  if (/\] - \d{4}-\d{2}-\d{2}$/.test(heading)) return []
  return [`CHANGELOG.md gives ${version} no date: expected "## [${version}] - YYYY-MM-DD"`]
}

function topLevelProblems (packed) {
  const found = new Set([...packed.keys()].map((path) => path.split('/')[0]))
  const missing = TOP_LEVEL.filter((name) => !found.has(name))
  const unexpected = [...found].filter((name) => !TOP_LEVEL.includes(name))
  return [
    ...missing.map((name) => `the package lacks ${name}`),
    ...unexpected.map((name) => `the package contains ${name}, which does not belong there`)
  ]
}

function pathProblems (path, text, machinePaths) {
  const found = machinePaths.find((folder) => text.includes(folder)) ?? HOME.exec(text)?.[0]
  return found === undefined ? [] : [`${path} names a path of this machine: ${found}`]
}

function linkProblems (packed, isInRepository) {
  return relativeLinks(packed.get('README.md') ?? '')
    .filter((path) => !packed.has(path) && !isInRepository(path))
    .map((path) => `README.md links to ${path}, which is neither packed nor in the repository`)
}

/** The paths that a document's links and pictures lead to, without anchors. */
function relativeLinks (markdown) {
  return [...markdown.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = resolve(import.meta.dirname, '..')
  const read = (path) => readFileSync(resolve(root, path), 'utf8')
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']
  })
  const [{ files }] = JSON.parse(output)
  const problems = problemsOf({
    manifest: JSON.parse(read('package.json')),
    changelog: read('CHANGELOG.md'),
    packed: new Map(files.map(({ path }) => [path, read(path)])),
    isInRepository: (path) => existsSync(resolve(root, path)),
    machinePaths: [root, `${homedir()}/`, `${tmpdir()}/`]
  })
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? 'ready to publish' : `${problems.length} to do before a release`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
