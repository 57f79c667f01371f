import { testShutdown } from '../helpers/hostile/test-shutdown.js'

const crowd = { good: 1000, mute: 100, pending: 50, slow: 20, late: 100 }

for (const [over, isTls] of [['TCP', false], ['TLS', true]] as const) {
  testShutdown({
    title: `1000 good clients and 170 others over ${over} do not hold the shutdown up`,
    isTls,
    graceMs: 1000,
    crowd
  })
}

testShutdown({
  title: '10000 good clients all get 1001 within a grace of 8 s',
  isTls: false,
  graceMs: 8000,
  crowd: { good: 10_000 }
})
