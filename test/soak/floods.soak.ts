import { FLOOD_ENDINGS, testFlood } from '../hostile/test-flood.js'

for (const ending of FLOOD_ENDINGS) testFlood(ending, 'wall')
