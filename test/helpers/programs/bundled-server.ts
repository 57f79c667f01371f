import { pathToFileURL } from 'node:url'
import { pathOf } from '../root.js'

/** The formats of modules that bundlers write. */
export const FORMATS = ['esm', 'cjs'] as const
export type ModuleFormat = typeof FORMATS[number]

/** The file of a bundle in this format. */
export function bundleName (format: ModuleFormat): string {
  return format === 'esm' ? 'server.mjs' : 'server.cjs'
}

/**
 * The source of a server whose hook fails with a secret. It exports a function that returns what a
 * plain request and an upgrade are answered.
 *
 * @param entry the plugin's module, relative to the root of the checkout.
 */
export function serverSource (entry: string): string {
  return `
    import Fastify from 'fastify'
    import timeSocket from ${JSON.stringify(pathOf(entry))}
    export default async function ask (setErrorHandler) {
      const app = Fastify()
      if (setErrorHandler) {
        app.setErrorHandler((error, request, reply) => { reply.code(555).send('own: ' + error.message) })
      }
      await app.register(timeSocket, { preValidation: async () => { throw new Error('SECRET') } })
      const { statusCode, body } = await app.inject('/time')
      const upgrade = await app.injectWS('/time').catch((error) => error.message)
      await app.close()
      return { statusCode, body, upgrade }
    }
  `
}

/** What is needed of tap's test object. */
interface Test {
  strictSame (found: unknown, wanted: unknown): unknown
}

/** Runs a bundle of `serverSource`, and checks that only the application's own handler tells. */
export async function checkBundle (t: Test, file: string): Promise<void> {
  const module = await import(pathToFileURL(file).href)
  const ask = module.default.default ?? module.default
  const { statusCode, body, upgrade } = await ask(false)
  t.strictSame([statusCode, JSON.parse(body), upgrade], [500, {
    statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error'
  }, 'Unexpected server response: 500'])
  t.strictSame(await ask(true), {
    statusCode: 555, body: 'own: SECRET', upgrade: 'Unexpected server response: 555'
  })
}
