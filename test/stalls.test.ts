import { testLiveness } from './hostile/test-liveness.js'

testLiveness({
  halfOpen: 50,
  live: 100,
  heartbeat: { interval: 2000, timeout: 500 },
  interval: 200,
  stallsMs: [1500],
  stopsMs: [3000]
})
