import { testHandshakes } from '../../helpers/hostile/test-handshakes.js'

// Always the same ones, unless you set SEED: `npm run test:extended` makes up new ones.
testHandshakes({ count: 1000, seed: Number(process.env['SEED'] ?? 1), concurrency: 50 })
