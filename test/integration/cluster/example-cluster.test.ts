import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'tap'
import { connect } from '../../helpers/network/peer.js'
import { needsRedis, startRedis } from '../../helpers/programs/redis.js'
import { waitFor, within } from '../../helpers/network/wait.js'
import { pathOf } from '../../helpers/root.js'

const PROGRAM = pathOf('example/dist/cluster.js')
const START_LIMIT_MS = 180_000

/** Starts the built example on a free port. */
async function startServer (t: Parameters<typeof startRedis>[0], redisPort: number) {
  const env = {
    ...process.env, NODE_OPTIONS: '', PORT: '0', HOST: '127.0.0.1', REDIS: `redis://127.0.0.1:${redisPort}`
  }
  // tap puts its loader back into the environment of every child process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, PROGRAM], { env })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text) => { log += text })
  const findUrl = () => /listening at http:\/\/([\d.]+:\d+)/.exec(log)?.[1]
  await waitFor(() => findUrl() !== undefined, 'the start of a server', START_LIMIT_MS)
  return { url: `ws://${findUrl()}`, stop: () => child.kill('SIGTERM'), ended }
}

test('on real ports, two servers of example/cluster.ts reach the same clients', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const servers = await Promise.all([startServer(t, redis.port), startServer(t, redis.port)])
  const [ada, bob, cleo] = [
    await connect(servers[0].url), await connect(servers[1].url), await connect(servers[1].url)
  ]
  ada.ws.send('hello')
  const has = ({ messages }: typeof ada) => messages.some((text) => /: hello$/.test(String(text)))
  await waitFor(() => has(bob) && has(cleo), 'the message on the other server')
  t.equal(has(ada), false, 'who sent it does not get it')
  for (const { stop } of servers) stop()
  const ends = await Promise.all(servers.map(({ ended }) => within(ended, 'the end')))
  t.strictSame(ends, [[0, null], [0, null]])
})
