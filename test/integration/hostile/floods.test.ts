/** Some of the floods. All of them: `npm run test:extended`. */
import { FLOOD_ENDINGS, testFlood } from '../../helpers/hostile/test-flood.js'

const FLOODS = ['small messages', 'pings whose pongs are never read', 'bombs that inflate to 100 MiB']

for (const ending of FLOOD_ENDINGS) if (FLOODS.includes(ending.flood)) testFlood(ending, 'cpu')
