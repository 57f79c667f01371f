import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'

/**
 * What becomes of WebSockets: `pass`; `block`: upgrades are answered 400; `drop`: upgrades are cut
 * without an answer; `swallow`: upgrades are accepted, and no frame passes in either direction; a
 * number: cut after so many milliseconds.
 */
export type WebSocketPolicy = 'pass' | 'block' | 'drop' | 'swallow' | number

/** A proxy that passes plain HTTP, and treats WebSockets as its policy says. */
export interface RestrictiveProxy {
  readonly port: number
  /** For connections from now on. */
  policy: WebSocketPolicy
  /** How many upgrades have come. */
  readonly upgradeCount: number
  /** Ends all connections. */
  cut (): void
}

const END_OF_HEAD = '\r\n\r\n'
const REFUSAL = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0${END_OF_HEAD}`

/** Starts the proxy on a free port, for as long as the test lasts. */
export async function createRestrictiveProxy (
  t: Test, targetPort: number, policy: WebSocketPolicy
): Promise<RestrictiveProxy> {
  const sockets = new Set<Socket>()
  const proxy = { port: 0, policy, upgradeCount: 0, cut }

  const server = createServer((client) => {
    track(client)
    // A request whose head fills more than one segment does not occur here.
    client.on('data', (head) => {
      const isUpgrade = /^upgrade: websocket/im.test(head.toString('latin1'))
      if (isUpgrade) proxy.upgradeCount++
      if (isUpgrade && proxy.policy === 'block') {
        client.end(REFUSAL)
      } else if (isUpgrade && proxy.policy === 'drop') {
        client.destroy()
      } else {
        client.removeAllListeners('data')
        join(client, head, isUpgrade ? proxy.policy : 'pass')
      }
    })
  })

  function join (client: Socket, head: Buffer, policy: WebSocketPolicy): void {
    const target = connect({ port: targetPort, host: '127.0.0.1' })
    track(target)
    target.write(head)
    client.on('close', () => target.destroy())
    target.on('close', () => client.destroy())
    if (policy === 'swallow') {
      client.resume()
      target.once('data', (answer) => client.write(headOf(answer)))
    } else {
      client.pipe(target).pipe(client)
    }
    if (typeof policy === 'number') setTimeout(() => client.destroy(), policy).unref()
  }

  function track (socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }

  function cut (): void {
    for (const socket of sockets) socket.destroy()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    cut()
    server.close()
  })
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port })
}

/** The server may have written its first frames together with the answer. */
function headOf (answer: Buffer): Buffer {
  return answer.subarray(0, answer.indexOf(END_OF_HEAD) + END_OF_HEAD.length)
}
