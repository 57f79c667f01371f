import { testEngine } from '../../helpers/engines/test-engine.js'

await testEngine('firefox')
