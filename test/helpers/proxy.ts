import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** A network between clients and a server, which may fail without a word. */
export interface Proxy {
  readonly port: number
  /** From now on nothing passes, in either direction: not even the end of a connection. */
  swallow (): void
}

export interface ProxyOptions {
  /** Milliseconds by which everything is late, each way. Default 0. */
  delayMs?: number
}

/** Starts a TCP proxy on a free port, for as long as the test lasts. */
export async function createProxy (
  t: Test, targetPort: number, { delayMs = 0 }: ProxyOptions = {}
): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let isSwallowing = false

  function forward (from: Socket, to: Socket): void {
    const pass = (action: () => void) => {
      if (isSwallowing) return
      if (delayMs === 0) action()
      else setTimeout(action, delayMs)
    }
    sockets.add(from)
    from.on('data', (chunk) => pass(() => to.write(chunk)))
    from.on('end', () => pass(() => to.end()))
    from.on('close', () => pass(() => to.destroy()))
    from.on('error', () => {})
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    forward(client, target)
    forward(target, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    swallow () {
      isSwallowing = true
    }
  }
}
