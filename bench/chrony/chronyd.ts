import { execFile, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A chronyd of its own, which never touches the system's clock. */
export interface Chronyd {
  /** @returns its virtual clock and its bound, in ms; undefined before it is synchronized. */
  readTracking (): Promise<Tracking | undefined>
  stop (): void
}

export interface Tracking {
  /** How far its virtual clock is from the system's clock: its error, where both ends share one. */
  readonly offsetMs: number
  /** The most by which it may be wrong: root dispersion and half the root delay (RFC 5905). */
  readonly boundMs: number
}

const run = promisify(execFile)

/** Starts a server that tells the system's clock, on `port`. */
export async function startChronyServer (folder: string, port: number): Promise<Chronyd> {
  return await start(folder, [`port ${port}`, 'local stratum 1', 'allow 127.0.0.1'])
}

/** @param polls `minpoll`, `maxpoll` and the like. */
export async function startChronyClient (
  folder: string, port: number, polls: string
): Promise<Chronyd> {
  return await start(folder, ['port 0', `server 127.0.0.1 port ${port} iburst ${polls}`])
}

async function start (folder: string, lines: readonly string[]): Promise<Chronyd> {
  const cmdport = await findUdpPort()
  const config = join(folder, `${cmdport}.conf`)
  await writeFile(config, [
    ...lines,
    `cmdport ${cmdport}`,
    'bindcmdaddress /',
    'bindcmdaddress 127.0.0.1',
    `pidfile ${join(folder, `${cmdport}.pid`)}`,
    `user ${userInfo().username}`
  ].join('\n') + '\n')
  // -x: never touches the clock. -U: needs no root. -n: stays in the foreground.
  const child = spawn('chronyd', ['-x', '-U', '-n', '-f', config], {
    stdio: 'ignore', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new Error('chronyd cannot be started: install the package chrony', { cause })
  }
  return {
    async readTracking () {
      const address = ['-h', '127.0.0.1', '-p', String(cmdport)]
      const { stdout } = await run('chronyc', [...address, '-n', '-c', 'tracking'])
      return parseTracking(stdout)
    },
    stop: () => { child.kill() }
  }
}

/** The columns of `chronyc -c tracking` are those of `chronyc tracking`, in seconds. */
function parseTracking (line: string): Tracking | undefined {
  const columns = line.trim().split(',')
  if (columns.at(-1) === 'Not synchronised') return undefined
  const [offset, rootDelay, rootDispersion] = [4, 10, 11].map((index) => Number(columns[index]))
  return {
    offsetMs: Number(offset) * 1000,
    boundMs: (Number(rootDispersion) + Number(rootDelay) / 2) * 1000
  }
}

/** A UDP port of 127.0.0.1 that was free a moment ago. */
export async function findUdpPort (): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
