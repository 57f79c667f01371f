import { testFrameSessions } from '../../helpers/hostile/test-frame-sessions.js'

// Always the same ones, unless you name others: `npm run test:soak` makes up new ones.
testFrameSessions({ count: 1000, seed: Number(process.env['SEED'] ?? 1), concurrency: 20 })
