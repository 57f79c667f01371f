import { test } from 'tap'
import { createReader } from '../../../../src/cluster/redis/stream-reader.js'
import { createFakeEngine, settle } from '../../../helpers/fakes/fake-engine.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const engine = createFakeEngine()
  const entries: string[] = []
  const ids: string[] = []
  const errors: string[] = []
  const reader = createReader({
    open: engine.open,
    key: 'stream',
    timers: time.timers,
    onEntry (payload, id) {
      entries.push(String(payload))
      ids.push(id)
    },
    onError: (err) => errors.push((err as Error).message)
  })
  let isStarted = false
  reader.started.then(() => { isStarted = true })
  engine.accept()
  /** The connection is lost, and the next one becomes ready. */
  async function reconnect (reason = 'ECONNRESET'): Promise<void> {
    engine.latest().events.onLost(new Error(reason))
    await settle()
    time.advance(1000)
    engine.accept()
  }
  const { answer, refuse } = engine
  const state = { isStarted: () => isStarted }
  return { time, engine, entries, ids, errors, reader, answer, refuse, reconnect, ...state }
}

function entry (id: string, ...fields: string[]): unknown {
  return [Buffer.from(id), fields.map((field) => Buffer.from(field))]
}

function found (...entries: unknown[]): unknown {
  return [[Buffer.from('stream'), entries]]
}

const NEWEST = 'XREVRANGE stream + - COUNT 1'
const readFrom = (id: string) => `XREAD COUNT 100 BLOCK 2000 STREAMS stream ${id}`

test('starts after the newest entry, and continues after the last entry read', async (t) => {
  const { entries, ids, errors, isStarted, answer } = setUp()
  t.equal(isStarted(), false)
  t.equal(await answer([entry('7-1', 'd', 'old')]), NEWEST)
  t.equal(isStarted(), true)
  t.equal(await answer(found(entry('8-0', 'd', 'a'), entry('8-1', 'd', 'b'))), readFrom('7-1'))
  t.equal(await answer(found(entry('9-0', 'd', 'c'))), readFrom('8-1'))
  t.equal(await answer(null), readFrom('9-0'))
  t.strictSame([entries, ids, errors], [['a', 'b', 'c'], ['8-0', '8-1', '9-0'], []])
})

test('starts at the beginning of a stream that does not exist yet', async (t) => {
  const { answer } = setUp()
  t.equal(await answer([]), NEWEST)
  t.equal(await answer(null), readFrom('0-0'))
})

test('delivers the field d, and an empty payload for entries without it', async (t) => {
  const { entries, answer } = setUp()
  await answer([])
  await answer(found(
    entry('1-0', 'other', 'x', 'd', 'a'), entry('2-0', 'value', 'd'), entry('3-0'), entry('4-0', 'd', '')
  ))
  t.strictSame(entries, ['a', '', '', ''])
})

test('resumes where it stopped when the connection is lost', async (t) => {
  const { entries, errors, answer, reconnect } = setUp()
  await answer([])
  await answer(found(entry('5-0', 'd', 'a')))
  await reconnect()
  t.strictSame(errors, ['ECONNRESET'])
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
  test(`restarts in a stream that has been replaced and ${title}`, async (t) => {
    const { answer, reconnect } = setUp()
    await answer([entry('1795262405000-3')])
    await reconnect()
    t.equal(await answer(newest), NEWEST)
    t.equal(await answer(null), readFrom(from))
  })
}

test('checks whether the stream has been replaced when nothing arrives', async (t) => {
  const { answer } = setUp()
  await answer([entry('5-0')])
  t.equal(await answer(null), readFrom('5-0'))
  t.equal(await answer([entry('4-9')]), NEWEST)
  t.equal(await answer(null), readFrom('0-0'))
})

test('opens another connection when Redis returns an error', async (t) => {
  const { time, engine, errors, answer, refuse } = setUp()
  await answer([])
  await refuse(new Error('UNBLOCKED force unblock from blocking operation'))
  t.strictSame(errors, ['UNBLOCKED force unblock from blocking operation'])
  time.advance(50)
  engine.accept()
  t.equal(await answer([]), NEWEST)
  t.equal(engine.connections.length, 2)
})

test('opens another connection when Redis does not answer', async (t) => {
  const { time, engine, errors } = setUp()
  await settle()
  time.advance(6999)
  t.equal(engine.connections.length, 1)
  time.advance(1)
  await settle()
  t.strictSame(errors, ['Redis has not answered within 7000 ms'])
  time.advance(50)
  t.equal(engine.connections.length, 2)
})

test('opens another connection when a written entry does not come back', async (t) => {
  const { time, engine, errors, reader, answer } = setUp()
  await answer([entry('5-0')])
  reader.expect('5-0')
  reader.expect('6-0')
  time.advance(999)
  await answer(null)
  await answer([entry('5-0')])
  t.equal(engine.connections.length, 1)
  time.advance(1)
  await answer(null)
  await answer([entry('5-0')])
  t.strictSame(errors, ['Redis does not return an entry that was written: another Redis server may have taken over'])
  time.advance(50)
  t.equal(engine.connections.length, 2)
})

test('expects no entry that has come back, or that was in a replaced stream', async (t) => {
  const { time, errors, reader, answer } = setUp()
  await answer([entry('5-0')])
  reader.expect('6-0')
  await answer(found(entry('7-0', 'd', 'a')))
  time.advance(1000)
  await answer(null)
  await answer([entry('7-0')])
  reader.expect('8-0')
  time.advance(1000)
  await answer(null)
  await answer([entry('1-0')])
  t.strictSame(errors, [])
})

test('delivers nothing once it has been stopped', async (t) => {
  const { engine, entries, errors, reader, answer } = setUp()
  await answer([])
  const [asked] = engine.latest().asked
  reader.stop()
  asked?.resolve(found(entry('1-0', 'd', 'a')))
  await settle()
  t.strictSame([entries, errors, engine.latest().isClosed], [[], [], true])
})

test('delivers no further entry of an answer when it is stopped', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const engine = createFakeEngine()
  const entries: string[] = []
  const reader = createReader({
    open: engine.open,
    key: 'stream',
    timers: time.timers,
    onEntry (payload) {
      entries.push(String(payload))
      reader.stop()
    },
    onError () {}
  })
  engine.accept()
  await engine.answer([])
  await engine.answer(found(entry('1-0', 'd', 'a'), entry('2-0', 'd', 'b')))
  t.strictSame(entries, ['a'])
})
