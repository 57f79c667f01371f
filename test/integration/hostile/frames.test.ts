import { testFrameSessions } from '../../helpers/hostile/test-frame-sessions.js'

// Always the same ones, unless you set SEED: `npm run test:extended` makes up new ones.
testFrameSessions({ count: 1000, seed: Number(process.env['SEED'] ?? 1), concurrency: 20 })
