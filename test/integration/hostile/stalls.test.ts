import { testLiveness } from '../../helpers/hostile/test-liveness.js'

testLiveness({
  halfOpen: 50,
  live: 100,
  heartbeat: { interval: 2000, timeout: 5000 },
  interval: 200,
  stallsMs: [7000],
  stopsMs: [7000]
})
