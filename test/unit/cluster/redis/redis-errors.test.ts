import { test } from 'tap'
import { explainError, isMinIdUnknown, isOfWrongServer } from '../../../../src/cluster/redis/redis-errors.js'

const explained: [answer: string, remedy: RegExp][] = [
  ['MOVED 3999 127.0.0.1:6381', /node of a cluster.*Redis\.Cluster/],
  ['READONLY You can\'t write against a read only replica.', /connect to the primary/],
  ['NOPERM this user has no permissions', /\+xadd \+xread \+xrevrange ~stream/],
  ['WRONGPASS invalid username-password pair', /password of the client/],
  ['NOAUTH Authentication required.', /password of the client/],
  ['WRONGTYPE Operation against a key', /"stream" is used for something else/],
  ["ERR unknown command 'XREVRANGE'", /older than version 5/],
  ['OOM command not allowed', /maxmemory/],
  ['MISCONF Redis is configured to save RDB snapshots', /see its log/],
  ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
  ['CLUSTERDOWN Hash slot not served', /No node of the cluster/],
  ['connect ECONNREFUSED 127.0.0.1:6379', /host and the port/]
]

for (const [answer, remedy] of explained) {
  test(`explains what to do about "${answer}"`, async (t) => {
    const cause = new Error(answer)
    const err = explainError(cause, 'stream')
    t.ok(err.message.startsWith(`${answer}. `))
    t.match(err.message.slice(answer.length), remedy)
    t.equal(err.cause, cause)
    t.equal(explainError(err, 'stream'), err, 'once')
  })
}

test('describes a value that is not an error, and an error without a message', async (t) => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  t.match(explainError(refused, 'stream').message, /^ECONNREFUSED\. Check/)
  t.equal(explainError('gone', 'stream').message, 'gone')
  t.equal(explainError(undefined, 'stream').message, 'undefined')
})

test('recognizes errors after which a new connection may lead to another server', async (t) => {
  const answers = ['READONLY a', 'MOVED 1 b', 'UNBLOCKED c', 'OOM d', 'NOPERM e']
  const found = answers.map((answer) => isOfWrongServer(explainError(new Error(answer), 'stream')))
  t.strictSame(found, [true, true, true, false, false])
})

test('recognizes how a Redis older than 6.2 refuses MINID', async (t) => {
  const answers = ['ERR syntax error', 'ERR Invalid stream ID specified as stream command argument', 'OOM']
  t.strictSame(answers.map((answer) => isMinIdUnknown(new Error(answer))), [true, true, false])
})
