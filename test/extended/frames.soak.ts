import { randomInt } from 'node:crypto'
import { testFrameSessions } from '../helpers/hostile/test-frame-sessions.js'

const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31))
testFrameSessions({ count: 10_000, seed, concurrency: 20 })
