import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'

const START_LIMIT_MS = 20_000

/**
 * A Redis of one's own, on a free port of the loopback interface.
 *
 * @param {object} options
 * @param {boolean} options.keepsData whether it has written everything to disk before it answers.
 */
export async function startRedis ({ keepsData = false } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'))
  // Where a file of that name would be saved.
  await mkdir(join(directory, 'taken'))
  const port = await findPort()
  const args = [
    '--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', '',
    '--appendonly', keepsData ? 'yes' : 'no', '--appendfsync', 'always',
    '--enable-protected-configs', 'yes'
  ]
  let child = spawn('redis-server', args, { stdio: 'ignore' })
  await waitForAnswer(port)

  async function kill () {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  return {
    port,
    admin: connect(port),
    kill,
    signal: (signal) => child.kill(signal),
    async restart () {
      child = spawn('redis-server', args, { stdio: 'ignore' })
      await waitForAnswer(port)
    },
    async stop () {
      this.admin.disconnect()
      child.kill('SIGCONT')
      await kill()
      await rm(directory, { recursive: true })
    }
  }
}

function connect (port, options = {}) {
  const client = new Redis({ host: '127.0.0.1', port, ...options })
  client.on('error', () => {})
  return client
}

async function waitForAnswer (port) {
  const client = connect(port, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  try {
    await Promise.race([client.ping(), wait(START_LIMIT_MS, undefined, { ref: false }).then(() => {
      throw new Error(`Redis did not start within ${START_LIMIT_MS} ms`)
    })])
  } finally {
    client.disconnect()
  }
}

async function findPort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
