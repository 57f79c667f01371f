import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../../helpers/programs/packed-package.js'
import { outputOf } from '../../helpers/programs/program.js'
import { needsRedis } from '../../helpers/programs/redis.js'

/** How a fault ended: `bench/cluster/books.js` says what the sums are. */
interface Result {
  readonly fault: string
  readonly sums?: { readonly sent: number, readonly lost: number }
  readonly problems: readonly string[]
}

const LIMIT_MS = 600_000
/** On a busy machine, servers and Redis take long to come back. */
const MAX_RECOVERY_MS = 60_000
/** In full: `npm run test:extended`. */
const EXTENT = ['--clients', '10', '--rounds', '2', '--max-recovery', String(MAX_RECOVERY_MS)]
const FAULTS = ['kill', 'kill-aof', 'stop', 'client-kill', 'server']

test('two servers in processes of their own deliver every message that they promised, under faults', {
  ...needsRedis, timeout: LIMIT_MS
}, async (t) => {
  const program = join(ROOT, 'bench/cluster/faults.js')
  const file = join(t.testdir({}), 'faults.json')
  const args = [program, '--only', FAULTS.join(), '--json', file, ...EXTENT]
  const table = await outputOf(process.execPath, args, { cwd: ROOT, limitMs: LIMIT_MS })
  for (const line of table.trim().split('\n')) t.comment(line)
  const results: Result[] = JSON.parse(await readFile(file, 'utf8'))
  const found = results.map(({ fault, problems }) => [fault, problems])
  t.strictSame(found, FAULTS.map((name) => [name, []]))
  t.ok(results.every(({ sums }) => (sums?.sent ?? 0) > 100), 'there was traffic')
})
