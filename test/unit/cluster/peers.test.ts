import { test } from 'tap'
import { createPeers } from '../../../src/cluster/peers.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const HOUR_MS = 3_600_000

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  return { time, peers: createPeers(time.timers) }
}

test('noteMessage', async (t) => {
  const sequences: [title: string, seqs: number[], answers: (number | string)[]][] = [
    ['finds nothing missing if each number follows the previous one', [1, 2, 3], [0, 0, 0]],
    ['starts with the first number, whatever it is', [7, 8], [0, 0]],
    ['counts missing numbers', [1, 4, 5, 105], [0, 2, 0, 99]],
    ['reports numbers that have already arrived as duplicates', [1, 2, 2, 1, 3], [0, 0, 'duplicate', 'duplicate', 0]],
    ['reports numbers that arrive after a later one as duplicates', [1, 3, 2, 4], [0, 1, 'duplicate', 0]]
  ]
  for (const [title, seqs, answers] of sequences) {
    await t.test(title, async (t) => {
      const { peers } = setUp()
      t.strictSame(seqs.map((seq) => peers.noteMessage('a', seq)), answers)
    })
  }

  await t.test('keeps peers apart', async (t) => {
    const { peers } = setUp()
    t.strictSame([peers.noteMessage('a', 1), peers.noteMessage('b', 5), peers.noteMessage('a', 3)], [0, 0, 1])
  })
})

test('noteAlive', async (t) => {
  await t.test('counts the missing messages up to its number, once', async (t) => {
    const { peers } = setUp()
    peers.noteMessage('a', 1)
    t.strictSame([peers.noteAlive('a', 4), peers.noteAlive('a', 4), peers.noteMessage('a', 5)], [3, 0, 0])
  })

  await t.test('sets the first number of a new peer', async (t) => {
    const { peers } = setUp()
    t.strictSame([peers.noteAlive('a', 0), peers.noteMessage('a', 2)], [0, 1])
  })

  await t.test('ignores an alive message that arrives late', async (t) => {
    const { peers } = setUp()
    peers.noteMessage('a', 5)
    t.strictSame([peers.noteAlive('a', 3), peers.noteMessage('a', 5)], [0, 'duplicate'])
  })
})

test('a peer is forgotten after an hour of silence, and not before', async (t) => {
  const { time, peers } = setUp()
  peers.noteMessage('a', 1)
  time.advance(HOUR_MS - 1)
  peers.noteAlive('b', 0)
  t.equal(peers.has('a'), true)
  time.advance(1)
  peers.noteAlive('b', 0)
  t.strictSame([peers.has('a'), peers.has('b'), peers.count], [false, true, 1])
})

test('at most a thousand peers are known: the one that was silent longest is forgotten', async (t) => {
  const { peers } = setUp()
  for (let number = 0; number < 1000; number++) peers.noteMessage(`peer ${number}`, 1)
  peers.noteAlive('peer 0', 1)
  peers.noteMessage('one more', 1)
  t.strictSame([peers.count, peers.has('peer 0'), peers.has('peer 1')], [1000, true, false])
})

test('a peer', async (t) => {
  await t.test('may skip a thousand messages for each millisecond of its silence', async (t) => {
    const { time, peers } = setUp()
    peers.noteMessage('a', 1)
    t.equal(peers.noteMessage('a', 10_000_003), 'implausible')
    t.equal(peers.noteAlive('a', 10_000_002), 'implausible')
    t.equal(peers.noteMessage('a', 10_000_002), 10_000_000)
    time.advance(20_000)
    t.equal(peers.noteAlive('a', 30_000_002), 20_000_000)
  })

  await t.test('whose number was raised by a forged message is accepted again after twelve seconds', async (t) => {
    const { time, peers } = setUp()
    peers.noteMessage('a', 1)
    peers.noteAlive('a', 5_000_000)
    t.equal(peers.noteMessage('a', 2), 'duplicate')
    time.advance(11_999)
    t.equal(peers.noteMessage('a', 3), 'duplicate')
    time.advance(1)
    t.strictSame([peers.noteMessage('a', 4), peers.noteMessage('a', 4), peers.noteMessage('a', 6)],
      [0, 'duplicate', 1])
  })

  await t.test('whose number was raised by a forged message is accepted again by an alive message', async (t) => {
    const { time, peers } = setUp()
    peers.noteAlive('a', 100)
    peers.noteAlive('a', 1)
    time.advance(12_000)
    t.strictSame([peers.noteAlive('a', 1), peers.noteMessage('a', 2)], [0, 0])
  })

  await t.test('whose messages are repeated occasionally keeps its number', async (t) => {
    const { time, peers } = setUp()
    peers.noteMessage('a', 5)
    for (let second = 0; second < 30; second++) {
      t.equal(peers.noteMessage('a', 4), 'duplicate')
      t.equal(peers.noteAlive('a', 5), 0)
      time.advance(1000)
    }
  })
})
