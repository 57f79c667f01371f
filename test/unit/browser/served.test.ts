import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { ServerClock } from '../../../src/browser/index.js'
import { ROOT } from '../../helpers/root.js'

const SERVED = new URL('dist/served/client.js', ROOT)

/** Loads the served client as if it had come from there. */
async function load (url: string): Promise<typeof ServerClock> {
  const source = await readFile(SERVED, 'utf8')
  const script = source.replaceAll('import.meta.url', JSON.stringify(url)).replace(/\/\/#.*/, '')
  const module = await import(`data:text/javascript,${encodeURIComponent(script)}`)
  return module.ServerClock
}

const urls: [served: string, socket: string][] = [
  ['https://example.org/time/client.js', 'https://example.org/time'],
  ['http://localhost:3000/api/v1/time/client.js?v=2', 'http://localhost:3000/api/v1/time'],
  ['https://example.org/client.js', 'https://example.org']
]

for (const [served, socket] of urls) {
  test(`a clock of ${served} connects to ${socket} by default`, async (t) => {
    const { defaultUrl } = await load(served)
    t.equal(defaultUrl, socket)
  })
}

test('a clock of the package connects to /time by default', async (t) => {
  t.equal(ServerClock.defaultUrl, '/time')
})
