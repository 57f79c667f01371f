import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { test } from 'tap'
import ts from 'typescript'
import { importsOf, packageOf } from '../../helpers/documents/imports.js'
import { COMMONJS_PROGRAM } from '../../helpers/programs/commonjs-program.js'
import { DECLARED, packPackage, ROOT } from '../../helpers/programs/packed-package.js'
import { outputOf, runProgram } from '../../helpers/programs/program.js'

/** What is needed of what attw finds. */
interface Problem {
  readonly entrypoint: string
  readonly resolutionKind: string
}

/** What the compiler makes of a source file, by the file's own ending. */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  '.ts': ['.js', '.js.map', '.d.ts', '.d.ts.map'],
  '.cts': ['.cjs', '.cjs.map', '.d.cts', '.d.cts.map']
}

/** The scripts that the bundler makes for bundlers. The files for pages have no source maps. */
const BUNDLES = ['browser/index.js', 'elements/index.js', 'elements/react.js']
const SERVED = ['client.js', 'elements.js']
/** Every entry as CommonJS. */
const COMMONJS = ['backplane-contract', 'client', 'elements', 'elements-react', 'index', 'redis']
const EXTRA_OUTPUTS = [
  ...BUNDLES.flatMap((path) => [`dist/${path}`, `dist/${path}.map`]),
  ...SERVED.map((name) => `dist/served/${name}`),
  ...COMMONJS.flatMap((name) => [`dist/cjs/${name}.cjs`, `dist/cjs/${name}.cjs.map`]),
  'dist/elements/custom-elements.json'
]

test('the tarball', async (t) => {
  const { tarball, directory } = await packPackage()
  const files = await filesIn(directory)
  const built = files.filter((file) => file.startsWith('dist/'))
  const sources = files.filter((file) => file.startsWith('src/'))

  await t.test('holds the package\'s own files', async (t) => {
    const others = files.filter((file) => !/^(dist|docs|src)\//.test(file))
    const expected = ['CHANGELOG.md', 'LICENSE', 'PROTOCOL.md', 'README.md', 'SECURITY.md', 'package.json']
    t.strictSame(others.sort(), expected)
  })

  await t.test('holds every source file and every document', async (t) => {
    t.strictSame(sources, (await filesIn(ROOT, 'src')))
    const documents = files.filter((file) => file.startsWith('docs/'))
    t.strictSame(documents, await filesIn(ROOT, 'docs'))
  })

  await t.test('holds the build of the sources, and nothing else', async (t) => {
    t.strictSame(built, [...sources.flatMap(outputsOf), ...EXTRA_OUTPUTS].sort(), 'run npm run build')
  })

  await t.test('has source maps that lead to its own sources', async (t) => {
    const maps = built.filter((file) => file.endsWith('.map'))
    t.not(maps.length, 0)
    const lost: string[] = []
    for (const file of maps) {
      const map: { sources: string[] } = JSON.parse(await readFile(join(directory, file), 'utf8'))
      const targets = map.sources.map((source) => resolve(directory, dirname(file), source))
      if (!targets.every((target) => existsSync(target))) lost.push(file)
    }
    t.strictSame(lost, [])
  })

  await t.test('imports only what it declares', async (t) => {
    const undeclared: string[] = []
    for (const file of built.filter((file) => !file.endsWith('.map'))) {
      const imports = importsOf(await readFile(join(directory, file), 'utf8'))
      const names = imports.flatMap(({ specifier }) => packageOf(specifier) ?? [])
        .filter((name) => !(name === 'react' && file === 'dist/elements/react.d.ts'))
      const strangers = names.filter((name) => !isBuiltin(name) && !DECLARED.includes(name))
      undeclared.push(...strangers.map((name) => `${file}: ${name}`))
    }
    t.strictSame(undeclared, [])
  })

  await t.test('passes publint', async (t) => {
    const publint = join(ROOT, 'node_modules/publint/src/cli.js')
    t.match(await outputOf(process.execPath, [publint, tarball, '--strict']), 'All good!')
  })

  await t.test('has types that every kind of module resolution finds', async (t) => {
    const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { stdout } = await runProgram(process.execPath, [attw, tarball, '--format', 'json'])
    const problems: Problem[] = Object.values<Problem[]>(JSON.parse(stdout).problems).flat()
    const found = problems.map(({ entrypoint, resolutionKind }) => [entrypoint, resolutionKind])
    t.strictSame(found, [])
  })
})

test('a project that has installed it', async (t) => {
  const { project } = await packPackage()

  async function run (file: string, source: string): Promise<unknown> {
    await writeFile(join(project, file), source)
    return JSON.parse(await outputOf(process.execPath, [file], { cwd: project }))
  }

  await t.test('gets the same exports from require and from import', async (t) => {
    const found = await run('identity.mjs', `
      import { createRequire } from 'node:module'
      import * as imported from 'fastify-time-socket'
      const required = createRequire(import.meta.url)('fastify-time-socket')
      console.log(JSON.stringify({
        isPlugin: required === imported.default && typeof required === 'function',
        different: Object.keys(imported).filter((name) => required[name] !== imported[name])
      }))
    `)
    t.strictSame(found, { isPlugin: true, different: [] })
  })

  await t.test('gets the same Redis entry from require and import, without ioredis', async (t) => {
    const found = await run('redis.mjs', `
      import { createRequire } from 'node:module'
      import { InvalidOptionError } from 'fastify-time-socket'
      import { redisStreams } from 'fastify-time-socket/redis'
      const required = createRequire(import.meta.url)('fastify-time-socket/redis')
      let isOurs = false
      try {
        redisStreams({})
      } catch (err) {
        isOurs = err instanceof InvalidOptionError
      }
      console.log(JSON.stringify({ isSame: required.redisStreams === redisStreams, isOurs }))
    `)
    t.strictSame(found, { isSame: true, isOurs: true })
  })

  await t.test('gets an error of the required class for a wrong option', async (t) => {
    const found = await run('refusal.cjs', `
      const { fastify } = require('fastify')
      const timeSocket = require('fastify-time-socket')
      fastify().register(timeSocket, { interval: '1000' }).ready().catch((err) => {
        const isOurs = err instanceof timeSocket.InvalidOptionError
        console.log(JSON.stringify({ isOurs, code: err.code }))
      })
    `)
    t.strictSame(found, { isOurs: true, code: 'FST_TIME_SOCKET_INVALID_OPTION' })
  })

  const apps: [style: string, file: string, head: string][] = [
    ['import', 'app.mjs', `
      import { fastify } from 'fastify'
      import timeSocket from 'fastify-time-socket'
    `],
    ['require', 'app.cjs', `
      const { fastify } = require('fastify')
      const timeSocket = require('fastify-time-socket')
    `],
    ['import, compiled to require', 'compiled.cjs', toCommonJs(`
      import { fastify as createApp } from 'fastify'
      import plugin, { fastifyTimeSocket } from 'fastify-time-socket'
      import * as everything from 'fastify-time-socket'
      const fastify = createApp
      const isOne = plugin === fastifyTimeSocket && plugin === everything.default
      const timeSocket = isOne ? plugin : undefined
    `)]
  ]

  for (const [style, file, head] of apps) {
    await t.test(`answers GET /time with the plugin loaded by ${style}`, async (t) => {
      const found = await run(file, `
        ${head}
        const app = fastify()
        app.register(timeSocket, { interval: 1000 })
        app.listen({ port: 0, host: '127.0.0.1' }).then(async (address) => {
          const { interval } = await (await fetch(address + '/time')).json()
          const { url } = app.timeSocket
          await app.close()
          console.log(JSON.stringify({ interval, url }))
        })
      `)
      t.strictSame(found, { interval: 1000, url: '/time' })
    })
  }
})

// For programs that cannot `require()` an ES module. test/extended/build-tools.test.ts runs Jest.
test('the CommonJS build', async (t) => {
  const { project } = await packPackage()
  await writeFile(join(project, 'program.cjs'), `${COMMONJS_PROGRAM}run().then(() => console.log('done'))`)

  await t.test('serves Node.js where require() refuses ES modules', async (t) => {
    const args = ['--no-experimental-require-module', 'program.cjs']
    t.equal(await outputOf(process.execPath, args, { cwd: project }), 'done\n')
  })

  await t.test('is not loaded by Node.js otherwise, so that there is one copy of the plugin', async (t) => {
    await writeFile(join(project, 'copies.cjs'), `
      for (const entry of ['', '/client', '/elements', '/elements/react', '/redis', '/backplane-contract']) {
        require('fastify-time-socket' + entry)
      }
      const loaded = Object.keys(require.cache).filter((path) => path.includes('fastify-time-socket'))
      console.log(JSON.stringify(loaded.filter((path) => /dist.cjs/.test(path))))
    `)
    t.equal(await outputOf(process.execPath, ['copies.cjs'], { cwd: project }), '[]\n')
  })
})

test('package.json', async (t) => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

  await t.test('names its engines and peer dependencies', async (t) => {
    const { engines, peerDependencies, sideEffects, license } = manifest
    t.strictSame({ engines, peerDependencies, sideEffects, license }, {
      engines: { node: '>=20.19.0' },
      peerDependencies: { fastify: '>=5.8.0 <6' },
      sideEffects: ['./dist/elements/*.js', './dist/cjs/elements*.cjs'],
      license: 'MIT'
    })
  })

  await t.test('runs no script at installation', async (t) => {
    const harmful = ['preinstall', 'install', 'postinstall', 'prepare']
    t.strictSame(harmful.filter((name) => name in manifest.scripts), [])
  })

  await t.test('brings no types into production', async (t) => {
    t.strictSame(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@types/')), [])
  })
})

test('a release waits for nothing but what only the owner knows', async (t) => {
  const { stderr } = await runProgram(process.execPath, ['.ci/release-check.mjs'], { cwd: ROOT })
  const problems = stderr.split('\n').filter((line) => line !== '')
  const owners = /^package\.json has no "(author|bugs|homepage|repository)"/
  const undated = /^CHANGELOG\.md gives .+ no date/
  t.strictSame(problems.filter((problem) => !owners.test(problem) && !undated.test(problem)), [])
})

test('package-lock.json records no addresses', async (t) => {
  const lock = await readFile(join(ROOT, 'package-lock.json'), 'utf8')
  t.notMatch(lock, /"resolved": "http/)
})

/** The files below a directory, by their paths from `root`, sorted. */
async function filesIn (root: string, directory = ''): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true })
  const files = await Promise.all(entries.map(async (entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? await filesIn(root, path) : [path]
  }))
  return files.flat().sort()
}

function outputsOf (source: string): string[] {
  const extension = extname(source)
  const base = source.slice(0, -extension.length).replace('src/', 'dist/')
  const isBundled = /^src\/(browser|elements)\//.test(source)
  return (OUTPUTS[extension] ?? [])
    .filter((ending) => !isBundled || ending.startsWith('.d.'))
    .map((ending) => base + ending)
}

function toCommonJs (source: string): string {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, esModuleInterop: true }
  return ts.transpileModule(source, { compilerOptions }).outputText
}
