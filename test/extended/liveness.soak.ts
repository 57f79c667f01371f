import { testLiveness } from '../helpers/hostile/test-liveness.js'

testLiveness({
  halfOpen: 100,
  live: 500,
  heartbeat: { interval: 2000, timeout: 5000 },
  interval: 500,
  stallsMs: [7000, 7000, 7000],
  stopsMs: [10_000, 10_000]
})
