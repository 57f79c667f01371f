import { test } from 'tap'
import { createConnection } from '../../../../src/cluster/redis/redis-connection.js'
import { createFakeEngine, settle } from '../../../helpers/fakes/fake-engine.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'

const ANSWER_MS = 3000

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const engine = createFakeEngine()
  const errors: string[] = []
  const ends: string[] = []
  let readyCount = 0
  const connection = createConnection({
    open: engine.open,
    key: 'stream',
    answerMs: ANSWER_MS,
    timers: time.timers,
    onReady () { readyCount++ },
    onError: (err) => errors.push(String(err))
  })
  function send (text: string): void {
    connection.send([text]).then(
      (answer) => ends.push(`${text}: ${answer}`), (err) => ends.push(`${text}: ${err.message}`)
    )
  }
  return { time, engine, errors, ends, connection, send, countReady: () => readyCount }
}

test('sends commands once it is ready, and not before', async (t) => {
  const { engine, ends, connection, send, countReady } = setUp()
  send('a')
  engine.accept()
  t.strictSame([connection.isReady, countReady()], [true, 1])
  send('b')
  t.equal(await engine.answer('OK'), 'b')
  t.strictSame(ends, ['a: there is no connection to Redis', 'b: OK'])
})

test('explains an error that Redis returns, and keeps the connection', async (t) => {
  const { engine, errors, ends, connection, send } = setUp()
  engine.accept()
  send('a')
  await engine.refuse(new Error('WRONGTYPE Operation against a key'))
  t.match(ends[0], /^a: WRONGTYPE Operation against a key\. The key "stream" is used/)
  t.strictSame([connection.isReady, errors], [true, []])
})

test('opens another connection when one is lost, after growing pauses', async (t) => {
  const { time, engine, errors } = setUp()
  const pauses: number[] = []
  for (let round = 0; round < 7; round++) {
    const { length } = engine.connections
    engine.latest().events.onLost(new Error('ECONNRESET'))
    let pauseMs = 0
    for (; engine.connections.length === length; pauseMs += 10) time.advance(10)
    pauses.push(pauseMs)
  }
  t.strictSame(pauses, [50, 100, 200, 400, 800, 1000, 1000])
  t.strictSame(errors, Array(7).fill('Error: ECONNRESET'))
})

test('resets the pause once a command has been answered', async (t) => {
  const { time, engine, send } = setUp()
  engine.latest().events.onLost(new Error('ECONNRESET'))
  time.advance(50)
  engine.accept()
  send('a')
  await engine.answer('OK')
  engine.latest().events.onLost(new Error('ECONNRESET'))
  time.advance(50)
  t.equal(engine.connections.length, 3)
})

test('rejects unanswered commands when it is lost, and does not report the loss otherwise', async (t) => {
  const { engine, errors, ends, send } = setUp()
  engine.accept()
  for (const text of ['a', 'b']) send(text)
  engine.latest().events.onLost(new Error('ECONNRESET'))
  await settle()
  t.strictSame([ends, errors, engine.latest().isClosed], [['a: ECONNRESET', 'b: ECONNRESET'], [], true])
})

test('is lost when an answer takes too long, even if later commands were answered', async (t) => {
  const { time, engine, ends, connection, send } = setUp()
  engine.accept()
  send('a')
  time.advance(1000)
  send('b')
  await engine.answer('OK')
  time.advance(ANSWER_MS - 1)
  t.equal(connection.isReady, true)
  time.advance(1000)
  await settle()
  t.strictSame(ends, ['a: OK', 'b: Redis has not answered within 3000 ms'])
  t.equal(connection.isReady, false)
})

test('is kept when the answer came while the event loop was stalled', async (t) => {
  const { time, engine, ends, connection, send } = setUp()
  engine.accept()
  for (const text of ['a', 'b']) send(text)
  // Timers run first, and then what has arrived is read.
  time.stall(10 * ANSWER_MS)
  for (const answer of ['OK', 'yes']) await engine.answer(answer)
  time.advance(10 * ANSWER_MS)
  t.strictSame([ends, connection.isReady], [['a: OK', 'b: yes'], true])
})

test('is lost soon after the event loop was stalled if the answer has not come', async (t) => {
  const { time, engine, ends, send } = setUp()
  engine.accept()
  send('a')
  time.stall(10 * ANSWER_MS)
  time.advance(1000)
  await settle()
  t.strictSame(ends, ['a: Redis has not answered within 3000 ms'])
})

test('is kept while no answer is due, however long', async (t) => {
  const { time, engine, errors, ends, connection, send } = setUp()
  engine.accept()
  send('a')
  await engine.answer('OK')
  time.advance(10 * ANSWER_MS)
  t.strictSame([ends, errors, connection.isReady], [['a: OK'], [], true])
  t.equal(time.pendingCount, 0)
})

test('is lost when it does not become ready within five seconds', async (t) => {
  const { time, engine, errors } = setUp()
  time.advance(5000)
  t.strictSame(errors, ['Error: Redis has not accepted a connection within 5000 ms'])
  time.advance(50)
  t.equal(engine.connections.length, 2)
  engine.accept()
  time.advance(60_000)
  t.equal(engine.connections.length, 2)
})

test('is lost when the client cannot even be duplicated', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const errors: string[] = []
  createConnection({
    open () { throw new Error('no such option') },
    key: 'stream',
    answerMs: ANSWER_MS,
    timers: time.timers,
    onReady () {},
    onError: (err) => errors.push(String(err))
  })
  time.advance(50)
  t.strictSame(errors, ['Error: no such option', 'Error: no such option'])
})

test('can be replaced, which the caller reports', async (t) => {
  const { time, engine, errors, ends, connection, send } = setUp()
  connection.replace(new Error('not ready: nothing to replace'))
  engine.accept()
  send('a')
  connection.replace(new Error('READONLY'))
  await settle()
  time.advance(50)
  t.strictSame([ends, errors, engine.connections.length], [['a: READONLY'], [], 2])
})

test('ignores events of a replaced connection', async (t) => {
  const { time, engine, errors, connection } = setUp()
  engine.accept()
  const [first] = engine.connections
  connection.replace(new Error('READONLY'))
  first?.events.onReady()
  first?.events.onLost(new Error('ended'))
  t.strictSame([connection.isReady, errors], [false, []])
  time.advance(50)
  t.equal(engine.connections.length, 2)
})

test('is closed permanently, and leaves nothing behind', async (t) => {
  const { time, engine, ends, connection, send } = setUp()
  engine.accept()
  send('a')
  connection.close()
  await settle()
  time.advance(60_000)
  t.strictSame([ends, engine.connections.length], [['a: the connection has been closed'], 1])
  t.strictSame([engine.latest().isClosed, time.pendingCount], [true, 0])
})
