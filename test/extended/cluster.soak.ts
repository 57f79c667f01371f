import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../helpers/programs/packed-package.js'
import { runProgram } from '../helpers/programs/program.js'
import { needsRedis } from '../helpers/programs/redis.js'

const LIMIT_MS = 800_000

test('four servers deliver every message that they promised, under every fault, with Redis killed twenty times', {
  ...needsRedis, timeout: LIMIT_MS
}, async (t) => {
  const args = [join(ROOT, 'bench/cluster/faults.js'), '--servers', '4', '--rounds', '20']
  const { code, stdout, stderr } = await runProgram(process.execPath, args, {
    cwd: ROOT, limitMs: LIMIT_MS
  })
  for (const line of stdout.trim().split('\n')) t.comment(line)
  t.strictSame([code, stderr], [0, ''])
})
