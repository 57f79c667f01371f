import { EventEmitter } from 'node:events'
import { test } from 'tap'
import type { RedisClient } from '../../../../src/cluster/redis/index.js'
import { createReader } from '../../../../src/cluster/redis/stream-reader.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'
import { waitFor } from '../../../helpers/network/wait.js'

/** A command under way. */
interface Asked {
  readonly line: string
  resolve (answer: unknown): void
  reject (err: Error): void
}

/** A client whose duplicate leaves every command to the test. */
class FakeClient extends EventEmitter {
  readonly asked: Asked[] = []
  readonly disconnects: boolean[] = []
  options: Record<string, unknown> = {}

  duplicate (options: Record<string, unknown>): this {
    this.options = options
    return this
  }

  callBuffer (command: string, args: (string | number)[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.asked.push({ line: [command, ...args].join(' '), resolve, reject })
    })
  }

  disconnect (reconnect = false): void {
    this.disconnects.push(reconnect)
  }
}

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const client = new FakeClient()
  const entries: string[] = []
  const errors: unknown[] = []
  let readyCount = 0
  const reader = createReader({
    client: client as unknown as RedisClient,
    key: 'stream',
    timers: time.timers,
    onEntry: (payload) => entries.push(String(payload)),
    onError: (err) => errors.push(err),
    onReady: () => { readyCount++ }
  })
  let isStarted = false
  reader.started.then(() => { isStarted = true })
  async function next (): Promise<Asked> {
    await waitFor(() => client.asked.length > 0, 'the next command')
    return client.asked.shift() as Asked
  }
  /** Answers the next command. @returns what it was. */
  async function answer (value: unknown): Promise<string> {
    const { line, resolve } = await next()
    resolve(value)
    await new Promise(setImmediate)
    return line
  }
  async function refuse (err: Error): Promise<string> {
    const { line, reject } = await next()
    reject(err)
    await new Promise(setImmediate)
    return line
  }
  return {
    time,
    client,
    entries,
    errors,
    reader,
    answer,
    refuse,
    isStarted: () => isStarted,
    readyCount: () => readyCount
  }
}

function entry (id: string, ...fields: string[]): unknown {
  return [Buffer.from(id), fields.map((field) => Buffer.from(field))]
}

function found (...entries: unknown[]): unknown {
  return [[Buffer.from('stream'), entries]]
}

const NEWEST = 'XREVRANGE stream + - COUNT 1'
const readFrom = (id: string) => `XREAD COUNT 100 BLOCK 2000 STREAMS stream ${id}`

test('starts after the newest entry, and goes on from each that it has had', async (t) => {
  const { entries, errors, isStarted, answer } = setUp()
  t.equal(isStarted(), false)
  t.equal(await answer([entry('7-1', 'd', 'old')]), NEWEST)
  t.equal(isStarted(), true)
  t.equal(await answer(found(entry('8-0', 'd', 'a'), entry('8-1', 'd', 'b'))), readFrom('7-1'))
  t.equal(await answer(found(entry('9-0', 'd', 'c'))), readFrom('8-1'))
  t.equal(await answer(null), readFrom('9-0'))
  t.strictSame([entries, errors], [['a', 'b', 'c'], []])
})

test('starts at the beginning of a stream that is not there yet', async (t) => {
  const { answer } = setUp()
  t.equal(await answer([]), NEWEST)
  t.equal(await answer(null), readFrom('0-0'))
})

test('takes the field d, and nothing of entries without it', async (t) => {
  const { entries, answer } = setUp()
  await answer([])
  await answer(found(
    entry('1-0', 'other', 'x', 'd', 'a'), entry('2-0', 'value', 'd'), entry('3-0'), entry('4-0', 'd', '')
  ))
  t.strictSame(entries, ['a', '', '', ''])
})

test('goes on where it stopped when the connection is lost', async (t) => {
  const { time, client, entries, errors, answer, refuse } = setUp()
  await answer([])
  await answer(found(entry('5-0', 'd', 'a')))
  const lost = new Error('ECONNRESET')
  client.emit('error', lost)
  client.emit('close')
  t.equal(await refuse(new Error('max retries')), readFrom('5-0'))
  t.strictSame(errors, [lost], 'the cause, not what ioredis makes of it')
  time.advance(50)
  client.emit('ready')
  t.equal(await answer([entry('6-0', 'd', 'b')]), NEWEST)
  t.equal(await answer(found(entry('6-0', 'd', 'b'))), readFrom('5-0'))
  t.strictSame(entries, ['a', 'b'])
})

const replaced: [title: string, newest: unknown[], from: string][] = [
  ['is empty', [], '0-0'],
  ['is younger than ten seconds', [entry('9000-0')], '0-0'],
  ['is behind', [entry('1795262404000-3')], '1795262394000-0']
]

for (const [title, newest, from] of replaced) {
  test(`starts anew in a stream that has been replaced and ${title}`, async (t) => {
    const { client, time, answer, refuse } = setUp()
    await answer([entry('1795262405000-3')])
    client.emit('close')
    await refuse(new Error('max retries'))
    time.advance(50)
    t.equal(await answer(newest), NEWEST)
    t.equal(await answer(null), readFrom(from))
  })
}

test('looks whether the stream has been replaced when nothing comes', async (t) => {
  const { answer } = setUp()
  await answer([entry('5-0')])
  t.equal(await answer(null), readFrom('5-0'))
  t.equal(await answer([entry('4-9')]), NEWEST)
  t.equal(await answer(null), readFrom('0-0'))
})

test('makes pauses that grow while it fails, and short ones once it has worked', async (t) => {
  const { time, errors, answer, refuse, client } = setUp()
  const failure = new Error('LOADING Redis is loading the dataset in memory')
  const pauses: number[] = []
  for (let round = 0; round < 7; round++) {
    await refuse(failure)
    let pauseMs = 0
    for (; client.asked.length === 0; pauseMs += 10) {
      time.advance(10)
      await new Promise(setImmediate)
    }
    pauses.push(pauseMs)
  }
  t.strictSame(pauses, [50, 100, 200, 400, 800, 1000, 1000])
  t.strictSame(errors, Array(7).fill(failure))
  await answer([])
  await answer(null)
  await refuse(failure)
  time.advance(50)
  t.equal(await answer([]), NEWEST)
})

test('replaces a connection that does not answer', async (t) => {
  const { time, client, errors, refuse } = setUp()
  await waitFor(() => client.asked.length > 0, 'the first command')
  time.advance(6999)
  t.strictSame(client.disconnects, [])
  time.advance(1)
  t.strictSame(client.disconnects, [true])
  await refuse(new Error('max retries'))
  t.strictSame(errors, [new Error('Redis has not answered XREVRANGE in time')])
})

test('tells when the connection has come about', async (t) => {
  const { client, readyCount } = setUp()
  client.emit('ready')
  t.equal(readyCount(), 1)
})

test('has a connection that fails at once and comes back within a second', async (t) => {
  const { client: { options } } = setUp()
  const { maxRetriesPerRequest, autoResendUnfulfilledCommands, retryStrategy } = options
  t.strictSame([maxRetriesPerRequest, autoResendUnfulfilledCommands], [0, false])
  // ioredis waits for so long, and keeps the process alive, even where there is no connection.
  t.equal(options.disconnectTimeout, 0)
  const retry = retryStrategy as (attempt: number) => number
  t.strictSame([1, 2, 10, 1000].map(retry), [100, 200, 1000, 1000])
})

test('tells nothing once it has been stopped', async (t) => {
  const { client, entries, reader, answer } = setUp()
  await answer([])
  reader.stop()
  t.strictSame(client.disconnects, [false])
  await answer(found(entry('1-0', 'd', 'a')))
  t.strictSame([entries, client.asked.length], [[], 0])

  const other = setUp()
  await other.answer([])
  other.reader.stop()
  await other.refuse(new Error('max retries'))
  t.strictSame([other.errors, other.client.asked.length], [[], 0])
})

test('does not wait for the end of a pause when it is stopped', async (t) => {
  const { client, reader, refuse } = setUp()
  await refuse(new Error('LOADING'))
  reader.stop()
  await new Promise(setImmediate)
  t.equal(client.asked.length, 0)
})
