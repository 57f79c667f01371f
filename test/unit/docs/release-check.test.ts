import { test } from 'tap'
import { ROOT } from '../../helpers/root.js'

interface Release {
  readonly manifest: Readonly<Record<string, unknown>>
  readonly changelog: string
  readonly packed: ReadonlyMap<string, string>
  readonly isInRepository: (path: string) => boolean
  readonly machinePaths?: readonly string[]
}

interface ReleaseCheck {
  problemsOf (release: Release): string[]
}

const { problemsOf }: ReleaseCheck = await import(new URL('.ci/release-check.mjs', ROOT).href)

const README = '[a](docs/a.md#b) ![c](bench/c.svg) [d](https://example.org) [e](#f)'
const FILES = {
  'CHANGELOG.md': '',
  LICENSE: '',
  'PROTOCOL.md': '',
  'README.md': README,
  'SECURITY.md': '',
  'dist/index.js': '',
  'docs/a.md': '',
  'package.json': '',
  'src/index.ts': ''
}
const READY: Release = {
  manifest: {
    version: '1.0.0-rc.1',
    author: 'Ada',
    bugs: 'https://example.org/bugs',
    homepage: 'https://example.org',
    repository: 'example/example'
  },
  changelog: '# Changelog\n\n## [1.0.0-rc.1] - 2026-12-01\n',
  packed: new Map(Object.entries(FILES)),
  isInRepository: (path) => path === 'bench/c.svg',
  machinePaths: ['/build/checkout']
}

test('a release that lacks nothing may be published', async (t) => {
  t.strictSame(problemsOf(READY), [])
})

const owners = ['author', 'bugs', 'homepage', 'repository']
for (const field of owners) {
  test(`a release without "${field}" is refused, with the reason`, async (t) => {
    const problems = problemsOf({ ...READY, manifest: { ...READY.manifest, [field]: undefined } })
    t.equal(problems.length, 1)
    t.match(problems[0], new RegExp(`^package\\.json has no "${field}": .{20,}`))
  })
}

const refused: [title: string, changes: Partial<Release>, problem: string][] = [
  ['is not in the changelog', { changelog: '## [1.0.0] - 2026-12-01' },
    'CHANGELOG.md has no heading "## [1.0.0-rc.1] - YYYY-MM-DD"'],
  ['has no date', { changelog: '## [1.0.0-rc.1] - Unreleased' },
    'CHANGELOG.md gives 1.0.0-rc.1 no date: expected "## [1.0.0-rc.1] - YYYY-MM-DD"'],
  ['lacks a folder', { packed: withFiles({ 'docs/a.md': undefined }), isInRepository: () => true },
    'the package lacks docs'],
  ['contains a stray file', { packed: withFiles({ '.env': '' }) },
    'the package contains .env, which does not belong there'],
  ['names the folder that it was built in',
    { packed: withFiles({ 'dist/index.js': 'at /build/checkout/src' }) },
    'dist/index.js names a path of this machine: /build/checkout'],
  ['names a home folder', { packed: withFiles({ 'docs/a.md': 'in /home/ada/time' }) },
    'docs/a.md names a path of this machine: /home/ada'],
  ['names a home folder of Windows', { packed: withFiles({ 'dist/a.map': '"C:\\\\Users\\\\ada\\\\time"' }) },
    'dist/a.map names a path of this machine: C:\\\\Users\\\\ada'],
  ['has a README that links nowhere', { isInRepository: () => false },
    'README.md links to bench/c.svg, which is neither packed nor in the repository']
]
for (const [title, changes, problem] of refused) {
  test(`a release that ${title} is refused`, async (t) => {
    t.strictSame(problemsOf({ ...READY, ...changes }), [problem])
  })
}

/** The packed files with some added, or removed by `undefined`. */
function withFiles (changes: Record<string, string | undefined>): Map<string, string> {
  const files = Object.entries({ ...FILES, ...changes })
  return new Map(files.filter((file): file is [string, string] => file[1] !== undefined))
}
