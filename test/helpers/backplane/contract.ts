import { test } from 'tap'
import type { Backplane } from '../../../src/api/backplane.js'
import { waitFor, within } from '../network/wait.js'

/** What is needed of tap's test object. */
export interface Test {
  teardown (callback: () => unknown): unknown
}

/** An engine, and what connects servers to it. */
export interface Engine {
  /** One more server's backplane. */
  connect (): Backplane | Promise<Backplane>
}

/** Bounded time, as the contract means it. */
const PROMPT_MS = 2000

/**
 * Holds an implementation to the text of `src/api/backplane.ts`, in one line:
 * `testBackplane('redisStreams', startEngine)`.
 *
 * @param startEngine starts an engine that nobody else uses, for as long as the test lasts.
 */
export function testBackplane (
  name: string, startEngine: (t: Test) => Engine | Promise<Engine>, options: object = {}
): void {
  test(`${name} is a backplane`, options, async (t) => {
    async function setUp () {
      const engine = await startEngine(t)
      const [one, other] = [await engine.connect(), await engine.connect()]
      t.teardown(() => Promise.all([one.close(), other.close()]))
      return { engine, one, other }
    }

    await t.test('delivers what another server publishes once subscribe has resolved', async (t) => {
      const { one, other } = await setUp()
      const heard = await listen(other)
      await one.publish(bytesOf('first'))
      await waitFor(() => heard.texts.includes('first'), 'the message')
      t.strictSame(heard.errors, [])
    })

    await t.test('delivers the bytes as they were, whatever they are', async (t) => {
      const { one, other } = await setUp()
      const heard = await listen(other)
      const payloads = [
        Buffer.from([0, 255, 10, 13, 0]), Buffer.alloc(0), Buffer.alloc(1_000_000, 'ä'),
        new Uint8Array(Buffer.from('a view of more')).subarray(2, 6)
      ]
      for (const payload of payloads) await one.publish(payload)
      await waitFor(() => heard.payloads.length >= payloads.length, 'all messages')
      t.strictSame(heard.payloads.map(hexOf), payloads.map(hexOf))
    })

    await t.test('keeps the order of each publisher, however fast they publish', async (t) => {
      const { engine, one, other } = await setUp()
      const third = await engine.connect()
      t.teardown(() => third.close())
      const heard = await listen(third)
      const texts = Array.from({ length: 500 }, (_, index) => String(index).padStart(3, '0'))
      await Promise.all(texts.flatMap((text) => {
        return [one.publish(bytesOf(`one ${text}`)), other.publish(bytesOf(`other ${text}`))]
      }))
      await waitFor(() => heard.texts.length >= 2 * texts.length, 'all messages')
      for (const name of ['one', 'other']) {
        const its = heard.texts.filter((text) => text.startsWith(`${name} `))
        t.strictSame(its, texts.map((text) => `${name} ${text}`))
      }
    })

    await t.test('delivers to every subscription of every server', async () => {
      const { one, other } = await setUp()
      const all = [await listen(other), await listen(other), await listen(other)]
      await one.publish(bytesOf('to all'))
      await waitFor(() => all.every(({ texts }) => texts.includes('to all')), 'the message')
    })

    await t.test('ends one subscription, and only that', async (t) => {
      const { one, other } = await setUp()
      const [ended, lasting] = [await listen(other), await listen(other)]
      await within(ended.end(), 'the end', PROMPT_MS)
      await ended.end()
      await one.publish(bytesOf('later'))
      await waitFor(() => lasting.texts.includes('later'), 'the message')
      t.strictSame(ended.texts, [])
    })

    await t.test('can be subscribed to again after the last subscription has ended', async (t) => {
      const { one, other } = await setUp()
      const first = await listen(other)
      await first.end()
      const second = await listen(other)
      await one.publish(bytesOf('again'))
      await waitFor(() => second.texts.includes('again'), 'the message')
      t.strictSame(first.texts, [])
    })

    await t.test('keeps one who throws from harming the others, and tells that one', async (t) => {
      const { one, other } = await setUp()
      const failures: unknown[] = []
      const failure = new Error('thrown by deliver')
      await other.subscribe(() => { throw failure }, (err) => failures.push(err))
      const heard = await listen(other)
      for (const text of ['first', 'second']) await one.publish(bytesOf(text))
      await waitFor(() => heard.texts.length >= 2, 'both messages')
      t.strictSame(heard.texts, ['first', 'second'])
      t.strictSame(failures, [failure, failure])
    })

    await t.test('delivers nothing once it is closed, which takes no time', async (t) => {
      const { one, other } = await setUp()
      const heard = await listen(other)
      const witness = await listen(one)
      await within(other.close(), 'close', PROMPT_MS)
      await other.close()
      await within(heard.end(), 'the end of what has ended', PROMPT_MS)
      // When the second has gone all the way, the first would have come to both.
      for (const text of ['too late', 'later still']) {
        await one.publish(bytesOf(text))
        await waitFor(() => witness.texts.includes(text), `«${text}»`)
      }
      t.strictSame(heard.texts, [])
    })

    await t.test('refuses everything once it is closed', async (t) => {
      const { one } = await setUp()
      await one.close()
      const code = 'FST_TIME_SOCKET_BACKPLANE_CLOSED'
      await t.rejects(one.publish(bytesOf('too late')), { code })
      await t.rejects(one.subscribe(() => {}, () => {}), { code })
    })

    await t.test('settles what was published when it is closed', async () => {
      const { one } = await setUp()
      const published = Promise.allSettled(['a', 'b', 'c'].map((text) => one.publish(bytesOf(text))))
      await one.close()
      await within(published, 'the end of all messages', PROMPT_MS)
    })
  })
}

/** Subscribes, and keeps what comes. */
async function listen (backplane: Backplane) {
  const payloads: Uint8Array[] = []
  const errors: unknown[] = []
  const keep = (payload: Uint8Array) => payloads.push(payload)
  const end = await within(
    backplane.subscribe(keep, (err) => errors.push(err)), 'the subscription'
  )
  return {
    payloads,
    errors,
    get texts () {
      return payloads.map((payload) => Buffer.from(payload).toString())
    },
    end
  }
}

function bytesOf (text: string): Uint8Array {
  return Buffer.from(text)
}

function hexOf (bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
