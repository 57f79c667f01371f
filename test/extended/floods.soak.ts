import { FLOOD_ENDINGS, testFlood } from '../helpers/hostile/test-flood.js'

for (const ending of FLOOD_ENDINGS) testFlood(ending, 'lateness')
