import { test } from 'tap'
import type { Test } from 'tap'
import type { TimeSocketContext } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect, inject } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'
import { HOSTILE_JSON, HOSTILE_TEXTS } from '../../helpers/hostile/json.js'

const BUILT_INS = [Object.prototype, Array.prototype, Function.prototype, String.prototype]

/** Nothing has come to be a property of everything. */
function assertClean (t: Test, before: readonly string[]): void {
  t.equal(({} as { x?: unknown }).x, undefined)
  t.strictSame(namesOf(), before)
}

function namesOf (): string[] {
  return BUILT_INS.flatMap((object) => Reflect.ownKeys(object).map(String))
}

test(`on a real port, ${HOSTILE_TEXTS.length} hostile texts are passed to onMessage, answered or ignored`, async (t) => {
  const before = namesOf()
  const told: unknown[] = []
  const { app, log, timeSocket } = await createTimeApp(t, {
    maxMessageBytes: 2 ** 21,
    messageRate: false,
    websocket: { options: { maxPayload: 2 ** 21 } },
    onMessage (client, data) {
      told.push(data)
      // And back again: what cannot be said as UTF-8 is not to break the client's connection.
      if (data !== 'end') client.send(data)
    }
  })
  const peer = await connect(`ws://127.0.0.1:${await listen(app)}/time`, { protocols: ['time.v1'] })
  for (const { text } of HOSTILE_TEXTS) peer.ws.send(text)
  peer.ws.send('{"type":"message","data":"end"}')
  await waitFor(() => told.at(-1) === 'end', 'the last message')
  const expected = HOSTILE_TEXTS.flatMap(({ told }) => told ?? [])
  t.ok(HOSTILE_TEXTS.length >= 500)
  t.strictSame(told, [...expected, 'end'])
  t.strictSame(timeSocket.stats().messages, {
    received: HOSTILE_TEXTS.length + 1, ignored: HOSTILE_TEXTS.length - expected.length - SYNCS
  })
  await waitFor(() => peer.messages.length >= expected.length + SYNCS, 'the answers')
  t.equal(peer.ws.readyState, peer.ws.OPEN)
  t.strictSame([log.messages('warn'), log.messages('error')], [[], []])
  assertClean(t, before)
})

/** How many of these are, after all, requests for the time. */
const SYNCS = HOSTILE_TEXTS.filter(({ text }) => isSync(text)).length

function isSync (text: string): boolean {
  try {
    const { type, id } = JSON.parse(text) as { type?: unknown, id?: unknown }
    return type === 'sync' && Number.isInteger(id) && Number(id) >= 0 && Number(id) < 2 ** 31
  } catch {
    return false
  }
}

test('the same texts from plain clients are passed to onMessage unchanged', async (t) => {
  const before = namesOf()
  const told: unknown[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    maxMessageBytes: 2 ** 21,
    messageRate: false,
    websocket: { options: { maxPayload: 2 ** 21 } },
    onMessage: (_client, data) => { told.push(data) }
  })
  const peer = await inject(app)
  for (const { text } of HOSTILE_TEXTS) peer.ws.send(text)
  await waitFor(() => told.length === HOSTILE_TEXTS.length, 'the last message')
  t.ok(told.every((data, index) => data === wellFormed(HOSTILE_TEXTS[index]?.text)))
  t.strictSame(timeSocket.stats().messages, { received: HOSTILE_TEXTS.length, ignored: 0 })
  assertClean(t, before)
})

/** As UTF-8 can say it. */
function wellFormed (text: string | undefined): string {
  return Buffer.from(String(text)).toString()
}

test('broadcasts with contexts, conditions and messages of hostile JSON reach their recipients', async (t) => {
  const before = namesOf()
  let next = 0
  const { app, timeSocket } = await createTimeApp(t, {
    immediate: false,
    context: () => JSON.parse(HOSTILE_JSON[next++] ?? '') as TimeSocketContext
  })
  while (next < HOSTILE_JSON.length) await inject(app)
  t.equal(timeSocket.clients.size, HOSTILE_JSON.length)
  const values = [1, 'x', null, true, []]
  for (const name of ['__proto__', 'constructor', 'x', 'length', 'toString', 'then', '']) {
    for (const value of values) {
      const where = JSON.parse(`{"${name}":${JSON.stringify(value)}}`)
      const isChosen = ({ context }: { context: unknown }) =>
        [value].flat().includes((context as Record<string, never> | null)?.[name] as never)
      const expected = [...timeSocket.clients.values()].filter(isChosen).length
      t.equal(timeSocket.broadcast('news', { where }), expected, `${name}: ${value}`)
    }
  }
  for (const text of HOSTILE_JSON) {
    t.equal(timeSocket.broadcast(JSON.parse(text)), HOSTILE_JSON.length, text.slice(0, 50))
  }
  assertClean(t, before)
})
