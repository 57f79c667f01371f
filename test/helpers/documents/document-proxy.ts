import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { https } from '../network/tls.js'
import { waitFor } from '../network/wait.js'

export type ProxyName = 'nginx' | 'haproxy'

/** For tap: skips where the proxy is not installed, except in CI. */
export function needsProxy (name: ProxyName): { skip: string | false } {
  const isInstalled = spawnSync(name, ['-v']).error === undefined
  return { skip: !isInstalled && process.env.CI !== 'true' && `${name} is not installed` }
}

/**
 * Runs a configuration of the documents: with our certificate, on a free port, in front of
 * `upstreamPort`, and with timeouts of 8 s in place of 60 s.
 *
 * @returns the port on which it speaks TLS.
 */
export async function startProxy (
  t: Test, name: ProxyName, documented: string, upstreamPort: number
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), `${name}-`))
  const certificate = join(directory, 'both.pem')
  await writeFile(certificate, Buffer.concat([https.cert, https.key]))
  const port = await findPort()
  const adapted = documented
    .replace(/listen 443|bind :443/, (text) => text.replace(/:?443/, `127.0.0.1:${port}`))
    .replace(/\/etc\/ssl\/[\w.]+/g, certificate)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${upstreamPort}`)
    .replaceAll('60s', '8s')
  const file = join(directory, 'proxy.conf')
  await writeFile(file, name === 'nginx' ? asNginxMain(adapted, directory) : adapted)
  const args = name === 'nginx' ? ['-p', directory, '-c', file] : ['-db', '-f', file]
  const child = spawn(name, args, { stdio: 'ignore' })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
    await rm(directory, { recursive: true, force: true })
  })
  await waitFor(() => answers(port), `${name} on port ${port}`)
  return port
}

/** A `server` block as a whole configuration, which writes nothing outside of its directory. */
function asNginxMain (http: string, directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory};`).join('\n')
  return `daemon off;\nmaster_process off;\npid ${directory}/nginx.pid;\n` +
    `error_log ${directory}/error.log;\nevents {}\n` +
    `http {\naccess_log off;\n${paths}\n${http}\n}\n`
}

async function findPort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
