import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'tap'
import { discardInput } from '../../../src/connections/discard-input.js'
import { waitFor, within } from '../../helpers/network/wait.js'

interface Test {
  teardown (callback: () => unknown): unknown
}

/** Both ends of a connection, and how many bytes the parser at the server's end has got. */
async function setUp (t: Test) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const client = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true })
  const [socket] = await once(server, 'connection') as [Socket]
  const parsed = { bytes: 0 }
  socket.on('data', (chunk) => { parsed.bytes += chunk.length })
  for (const end of [client, socket]) end.on('error', () => {})
  t.teardown(() => client.destroy())
  t.teardown(() => socket.destroy())
  return { client, socket, parsed }
}

test('drops input in flight until the other side has also ended', async (t) => {
  const { client, socket, parsed } = await setUp(t)
  client.write('to be parsed')
  await waitFor(() => parsed.bytes === 12, 'parsing')
  socket.write('bye')
  discardInput(socket)
  client.write(Buffer.alloc(50_000))
  let told = ''
  client.on('data', (chunk) => { told += chunk })
  client.on('end', () => client.end())
  await within(once(socket, 'close'), 'the end')
  t.strictSame([told, parsed.bytes, socket.bytesRead], ['bye', 12, 50_012])
})

test('reads at most 64 KiB, and the sender still gets the close frame', async (t) => {
  const { client, socket, parsed } = await setUp(t)
  socket.write('bye')
  discardInput(socket)
  // More than the kernel holds.
  client.write(Buffer.alloc(64 * 1024 * 1024))
  const [told] = await within(once(client, 'data'), 'being told')
  await within(once(client, 'end'), 'the end of the stream')
  await waitFor(() => socket.bytesRead > 65_536, 'reading')
  t.equal(String(told), 'bye')
  t.ok(socket.bytesRead < 1024 * 1024, `${socket.bytesRead} bytes were read`)
  t.strictSame([parsed.bytes, socket.isPaused()], [0, true])
})

test('a reset is noticed even if a flood is no longer read', async (t) => {
  const { client, socket } = await setUp(t)
  discardInput(socket)
  client.write(Buffer.alloc(64 * 1024 * 1024))
  await waitFor(() => socket.isPaused(), 'the pause')
  client.resetAndDestroy()
  await t.resolves(waitFor(() => socket.destroyed, 'the end'))
})

test('resumes a paused socket, so that its end is noticed', async (t) => {
  const { client, socket } = await setUp(t)
  socket.pause()
  discardInput(socket)
  client.end('x')
  await within(once(socket, 'close'), 'the end')
  t.equal(socket.bytesRead, 1)
})
