import { testEngine } from '../../helpers/engines/test-engine.js'

await testEngine('webkit')
