import { test } from 'tap'
import { createRounds } from '../../../example/rounds.js'
import type { Round } from '../../../example/rounds.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const START_MS = 1_795_262_400_000
const ROUND_MS = 60_000
/** Within so much of the end a bid moves it; and so long everybody sees who has won. */
const LAST_MS = 10_000
const FIRST: Round = {
  id: START_MS,
  lot: 'A ship’s chronometer',
  amount: 0,
  leader: '',
  endsAt: START_MS + ROUND_MS,
  lastMs: LAST_MS,
  extensions: 0,
  isOver: false
}
const NOT_A_BID = 'That is not a bid'

test('announces a round and its end when the round begins', async (t) => {
  const { rounds, changes, ends } = setUp()
  t.strictSame(rounds.current, FIRST)
  t.strictSame(changes, [FIRST])
  t.strictSame(ends, [FIRST])
})

test('accepts higher bids, and tells every client', async (t) => {
  const { rounds, changes, ends, bid, time } = setUp()
  t.equal(bid(10, 'Ada'), undefined)
  time.advance(1000)
  t.equal(bid(1010, 'Émile O’Neil-2'), undefined)
  t.strictSame(changes.slice(1), [
    { ...FIRST, amount: 10, leader: 'Ada' },
    { ...FIRST, amount: 1010, leader: 'Émile O’Neil-2' }
  ])
  t.strictSame(rounds.current, changes.at(-1))
  t.equal(ends.length, 1, 'the end stays')
})

test('refuses bids that are too low or too high, and tells no other client', async (t) => {
  const { changes, bid } = setUp()
  bid(10, 'Ada')
  t.equal(bid(10, 'Bob'), 'Too low: 10 is bid already')
  t.equal(bid(9, 'Bob'), 'Too low: 10 is bid already')
  t.equal(bid(1011, 'Bob'), 'Raise by 1000 at most')
  t.equal(changes.length, 2)
})

const hostile: [title: string, data: string | Buffer][] = [
  ['no JSON', '{'],
  ['nothing', ''],
  ['bytes', Buffer.from([0xff, 0])],
  ['null', 'null'],
  ['a number', '10'],
  ['an array', '[10]'],
  ['no name', `{"round":${START_MS},"amount":10}`],
  ['no amount', `{"round":${START_MS},"name":"Ada"}`],
  ['no round', '{"amount":10,"name":"Ada"}'],
  ['a round as text', `{"round":"${START_MS}","amount":10,"name":"Ada"}`],
  ['an amount as text', write({ amount: '10' })],
  ['an amount in an array', write({ amount: [10] })],
  ['a fraction', write({ amount: 10.5 })],
  ['no more than nothing', write({ amount: 0 })],
  ['a debt', write({ amount: -10 })],
  ['infinity', `{"round":${START_MS},"amount":1e999,"name":"Ada"}`],
  ['an empty name', write({ name: '' })],
  ['a name of spaces', write({ name: '  ' })],
  ['a name that is too long', write({ name: 'a'.repeat(21) })],
  ['a very long name', write({ name: 'a '.repeat(1000) })],
  ['a line break in a name', write({ name: 'Ada\nBob' })],
  ['markup as a name', write({ name: '<b>Ada' })],
  ['a name that turns the line round', write({ name: 'Ada\u202e' })],
  ['an invisible name', write({ name: '\u200b' })],
  ['a name that is an object', write({ name: { toString: 1 } })]
]

test('refuses anything that is not a bid', async (t) => {
  const { rounds, changes } = setUp()
  for (const [title, data] of hostile) t.equal(rounds.bid(data), NOT_A_BID, title)
  t.strictSame(changes, [FIRST])
  t.equal(rounds.bid(write({})), undefined)
})

test('ends on time by its clock, and begins another round', async (t) => {
  const { changes, ends, bid, time } = setUp({ jitterMs: () => -0.8 })
  bid(10, 'Ada')
  time.advance(ROUND_MS - 1)
  t.equal(changes.length, 2, 'not yet')
  time.advance(2)
  const over = { ...FIRST, amount: 10, leader: 'Ada', isOver: true }
  t.strictSame(changes.slice(2), [over])
  time.advance(LAST_MS)
  const second = { ...FIRST, ...roundAt(START_MS + ROUND_MS + LAST_MS) }
  t.strictSame(changes.slice(3), [{ ...second, lot: 'A railway station clock' }])
  t.strictSame(ends, [FIRST, changes[3]])
})

test('a last-moment bid postpones the end, any number of times', async (t) => {
  const { changes, ends, bid, time } = setUp()
  time.advance(ROUND_MS - LAST_MS)
  bid(10, 'Ada')
  time.advance(1)
  bid(20, 'Bob')
  time.advance(LAST_MS - 1)
  bid(30, 'Ada')
  const endsAt = START_MS + ROUND_MS
  const moved = [
    { ...FIRST, amount: 20, leader: 'Bob', endsAt: endsAt + 1, extensions: 1 },
    { ...FIRST, amount: 30, leader: 'Ada', endsAt: endsAt + LAST_MS, extensions: 2 }
  ]
  t.strictSame(ends.slice(1), moved)
  time.advance(LAST_MS - 1)
  t.strictSame(changes.at(-1), moved[1], 'goes on past the first end')
  time.advance(1)
  t.strictSame(changes.at(-1), { ...moved[1], isOver: true })
})

test('judges late bids by the clock, even if its timer is late', async (t) => {
  const { rounds, bid, time } = setUp({ jitterMs: () => 50 })
  time.advance(ROUND_MS - 1)
  t.equal(bid(10, 'Ada'), undefined)
  time.advance(LAST_MS)
  t.equal(rounds.current.isOver, false, 'the timer has not fired yet')
  t.equal(bid(20, 'Bob'), 'Too late')
  time.advance(100)
  t.equal(bid(30, 'Bob'), 'Too late')
  t.equal(rounds.current.amount, 10)
})

test('does not accept a bid for the previous lot', async (t) => {
  const { rounds, bid, time } = setUp()
  time.advance(ROUND_MS + LAST_MS)
  t.equal(rounds.current.isOver, false)
  t.equal(bid(10, 'Ada'), 'Too late')
})

test('offers the lots in turn, then the first one again', async (t) => {
  const { changes, time } = setUp()
  time.advance(6 * (ROUND_MS + LAST_MS))
  const lots = changes.filter(({ isOver }) => !isOver).map(({ lot }) => lot)
  t.equal(new Set(lots).size, 6)
  t.equal(lots[6], lots[0])
})

test('leaves no timer behind', async (t) => {
  const { rounds, time } = setUp()
  rounds.stop()
  t.equal(time.pendingCount, 0)
})

function setUp ({ jitterMs = () => 0 }: { jitterMs?: () => number } = {}) {
  const time = createFakeTime({ wallMs: START_MS, jitterMs })
  const changes: Round[] = []
  const ends: Round[] = []
  const rounds = createRounds({
    roundMs: ROUND_MS,
    now: () => time.clock.now(),
    after: time.timers.after,
    onChange (round) { changes.push(round) },
    onEndMoved (round) { ends.push(round) }
  })
  const bid = (amount: number, name: string) => rounds.bid(write({ amount, name }))
  return { time, rounds, changes, ends, bid }
}

function roundAt (id: number): Partial<Round> {
  return { id, endsAt: id + ROUND_MS }
}

/** A bid as it comes, proper but for what is given. */
function write (fields: object): string {
  return JSON.stringify({ round: START_MS, amount: 10, name: 'Ada', ...fields })
}
