import { SOON_MS } from '../../helpers/network/wait.js'
import { testShutdown } from '../../helpers/hostile/test-shutdown.js'

const crowd = { good: 100, mute: 10, pending: 10, slow: 5, late: 20 }

for (const [over, isTls] of [['TCP', false], ['TLS', true]] as const) {
  testShutdown({
    title: `over ${over}, the server process ends by itself whatever clients do, and good clients get 1001`,
    isTls,
    graceMs: 500,
    crowd,
    slackMs: SOON_MS
  })
}
