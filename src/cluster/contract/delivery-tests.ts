import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { bytesOf, createContractTest, listen, PROMPT_MS, until, within } from './contract-setup.js'
import type {
  BackplaneContractOptions, BackplaneContractTest, BackplaneEngine, Setting
} from './contract-setup.js'

/** The most bytes of a payload that the message of a failure shows. */
const MAX_SHOWN_BYTES = 32
const CLOSED = { code: 'FST_TIME_SOCKET_BACKPLANE_CLOSED' }

type Body = (setting: Setting<BackplaneEngine>) => Promise<void>

/** The tests of a backplane whose engine works. */
const TESTS: readonly [title: string, body: Body][] = [
  ['delivers what another server publishes once subscribe() has resolved', deliversAtOnce],
  ['delivers any bytes unchanged', keepsBytes],
  ['keeps the order of each publisher, however fast they publish', keepsOrder],
  ['delivers to every subscription of every server', deliversToAll],
  ['ends one subscription, and only that', endsOne],
  ['can be subscribed to again after the last subscription has ended', startsAgain],
  ['reports a deliver() that throws, and still delivers to the others', isolatesFailures],
  ['delivers nothing after close(), which resolves promptly', deliversNothingClosed],
  ['rejects publish() and subscribe() after close()', refusesClosed],
  ['settles pending publish() calls on close()', settlesClosed]
]

export function createDeliveryTests<Engine extends BackplaneEngine> (
  options: BackplaneContractOptions<Engine>
): BackplaneContractTest[] {
  return TESTS.map(([title, body]) => createContractTest(options, title, body))
}

async function deliversAtOnce ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const subscription = await listen(other)
  await one.publish(bytesOf('first'))
  await until(() => subscription.texts.includes('first'), 'the message must arrive')
  assert.deepEqual(subscription.errors, [])
}

async function keepsBytes ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const subscription = await listen(other)
  const payloads = [
    Buffer.from([0, 255, 10, 13, 0]), Buffer.alloc(0), Buffer.alloc(1_000_000, 'ä'),
    new Uint8Array(Buffer.from('a view of more')).subarray(2, 6)
  ]
  for (const payload of payloads) await one.publish(payload)
  await until(() => subscription.payloads.length >= payloads.length, 'all messages must arrive')
  assert.deepEqual(subscription.payloads.map(describe), payloads.map(describe))
}

async function keepsOrder ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other, third] = [await connect(), await connect(), await connect()]
  const subscription = await listen(third)
  const texts = Array.from({ length: 500 }, (_, index) => String(index).padStart(3, '0'))
  await Promise.all(texts.flatMap((text) => {
    return [one.publish(bytesOf(`one ${text}`)), other.publish(bytesOf(`other ${text}`))]
  }))
  await until(() => subscription.texts.length >= 2 * texts.length, 'all messages must arrive')
  for (const name of ['one', 'other']) {
    const received = subscription.texts.filter((text) => text.startsWith(`${name} `))
    assert.deepEqual(received, texts.map((text) => `${name} ${text}`))
  }
}

async function deliversToAll ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const all = [await listen(other), await listen(other), await listen(one)]
  await one.publish(bytesOf('to all'))
  await until(() => all.every(({ texts }) => texts.includes('to all')), 'the message must arrive')
}

async function endsOne ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const [ended, lasting] = [await listen(other), await listen(other)]
  await within(ended.end(), 'ending the subscription must resolve', PROMPT_MS)
  await ended.end()
  await one.publish(bytesOf('later'))
  await until(() => lasting.texts.includes('later'), 'the message must arrive')
  assert.deepEqual(ended.texts, [])
}

async function startsAgain ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const first = await listen(other)
  await first.end()
  const second = await listen(other)
  await one.publish(bytesOf('again'))
  await until(() => second.texts.includes('again'), 'the message must arrive')
  assert.deepEqual(first.texts, [])
}

async function isolatesFailures ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const failures: unknown[] = []
  const thrown: unknown[] = []
  await other.subscribe(() => {
    const failure = new Error('thrown by deliver')
    thrown.push(failure)
    throw failure
  }, (err) => failures.push(err))
  const subscription = await listen(other)
  for (const text of ['first', 'second']) await one.publish(bytesOf(text))
  await until(() => subscription.texts.length >= 2, 'both messages must arrive')
  assert.deepEqual(subscription.texts, ['first', 'second'])
  assert.deepEqual(failures, thrown)
}

async function deliversNothingClosed ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const [one, other] = [await connect(), await connect()]
  const subscription = await listen(other)
  const witness = await listen(one)
  await within(other.close(), 'close() must resolve', PROMPT_MS)
  await other.close()
  await within(subscription.end(), 'ending a closed subscription must resolve', PROMPT_MS)
  // Once the second message has arrived, the first would have reached both subscriptions.
  for (const text of ['too late', 'later still']) {
    await one.publish(bytesOf(text))
    await until(() => witness.texts.includes(text), `"${text}" must reach the other server`)
  }
  assert.deepEqual(subscription.texts, [])
}

async function refusesClosed ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const one = await connect()
  await one.close()
  await assert.rejects(one.publish(bytesOf('too late')), CLOSED)
  await assert.rejects(one.subscribe(() => {}, () => {}), CLOSED)
}

async function settlesClosed ({ connect }: Setting<BackplaneEngine>): Promise<void> {
  const one = await connect()
  const published = Promise.allSettled(['a', 'b', 'c'].map((text) => one.publish(bytesOf(text))))
  await one.close()
  await within(published, 'all messages must settle', PROMPT_MS)
}

function describe (bytes: Uint8Array): string {
  if (bytes.length <= MAX_SHOWN_BYTES) return Buffer.from(bytes).toString('hex')
  return `${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`
}
