import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { test } from 'tap'
import { pathOf } from '../../helpers/root.js'

const SERVER = `
import Fastify from 'fastify'
import timeSocket from './src/index.ts'
export default async function ask (setErrorHandler) {
  const app = Fastify()
  if (setErrorHandler) app.setErrorHandler((error, request, reply) => { reply.code(555).send('own: ' + error.message) })
  await app.register(timeSocket, { preValidation: async () => { throw new Error('SECRET') } })
  const { statusCode, body } = await app.inject('/time')
  const upgrade = await app.injectWS('/time').catch((error) => error.message)
  await app.close()
  return { statusCode, body, upgrade }
}
`

/** What a bundler adds so that CommonJS packages find Node's modules from an ES module. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

for (const format of ['esm', 'cjs'] as const) {
  test(`a server minified as ${format} tells no detail of an error`, async (t) => {
    const { outputFiles } = await build({
      stdin: { contents: SERVER, resolveDir: pathOf('.'), loader: 'js' },
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      format,
      banner: { js: format === 'esm' ? REQUIRE : '' }
    })
    const file = join(t.testdir(), `server.${format === 'esm' ? 'mjs' : 'cjs'}`)
    await writeFile(file, outputFiles[0]?.text ?? '')
    const module = await import(pathToFileURL(file).href)
    const ask = format === 'esm' ? module.default : module.default.default
    const { statusCode, body, upgrade } = await ask(false)
    t.strictSame([statusCode, JSON.parse(body)], [500, {
      statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error'
    }])
    t.equal(upgrade, 'Unexpected server response: 500')
    t.match(await ask(true), { statusCode: 555, body: 'own: SECRET' })
  })
}
