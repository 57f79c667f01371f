import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { test } from 'tap'
import * as source from '../../../src/browser/index.js'
import { createWorld } from '../../helpers/fakes/client-world.js'
import { createTimeServer } from '../../helpers/fakes/time-server.js'
import { ROOT } from '../../helpers/root.js'

const ENTRY = new URL('dist/browser/index.js', ROOT)
const LIMITS_BYTES = { 'browser/index.js': 9700, 'elements/index.js': 3600 }

for (const [path, limitBytes] of Object.entries(LIMITS_BYTES)) {
  test(`${path}, bundled and minified, is small after gzip -9`, async (t) => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`dist/${path}`, ROOT))],
      external: ['../browser/index.js'],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false
    })
    const [script] = outputFiles
    const { length } = gzipSync(script?.contents ?? '', { level: 9 })
    t.comment(`${length} bytes`)
    t.ok(length > 1000 && length <= limitBytes, `is ${length} bytes`)
  })
}

test('the bundle', async (t) => {
  const bundle: typeof source = await import(ENTRY.href)

  await t.test('has the same exports as the sources', async (t) => {
    t.strictSame(Object.keys(bundle), Object.keys(source))
  })

  await t.test('keeps the names that users and servers rely on', async (t) => {
    const world = createWorld({ aheadMs: 5000 })
    const server = createTimeServer(world)
    const clock = new bundle.ServerClock('/time', {
      protocols: ['app.v1'], slew: 0.1, sync: { probes: 1, every: 5000 }, environment: world.environment
    })
    t.teardown(() => clock.close())
    const events: unknown[] = []
    for (const name of ['open', 'close', 'tick', 'message', 'step', 'refused'] as const) {
      clock.addEventListener(name, ({ detail }) => { events.push(name, Object.keys(detail ?? {})) })
    }
    await world.advance(0)
    server.serve(world.peer)
    await world.advance(1000)
    const tick = { type: 'tick', seq: 1, at: 5, sent: server.now(), interval: 5000, clockSteps: 0 }
    world.peer.send(tick)
    world.peer.send({ type: 'message', data: { a: 1 }, at: server.now(), key: 'k' })
    world.peer.send({ type: 'cancel', key: 'other' })
    await world.advance(100)
    await clock.ready({ error: 25 })
    t.ok(Math.abs(clock.now() - server.now()) <= clock.error)
    t.strictSame(world.peer.offered, ['time.v1', 'app.v1'])
    world.answer = { status: 503, retryAfter: '1' }
    world.peer.end(1001)
    await world.advance(600)
    world.peer.end()
    await world.advance(0)
    const closed = ['close', ['code', 'reason', 'retryIn']]
    t.strictSame(events, [
      'open', [], 'step', ['by'], 'tick', Object.keys(tick), 'message', ['a'],
      ...closed, ...closed, 'refused', ['status', 'code']
    ])
    const ours = new source.ServerClock('/time', { environment: world.environment })
    t.teardown(() => ours.close())
    const members = (of: object) => Object.getOwnPropertyNames(Object.getPrototypeOf(of)).sort()
    t.strictSame(members(clock), members(ours))
  })
})
