import { randomInt } from 'node:crypto'
import { testHandshakes } from '../helpers/hostile/test-handshakes.js'

const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31))
testHandshakes({ count: 10_000, seed, concurrency: 200 })
