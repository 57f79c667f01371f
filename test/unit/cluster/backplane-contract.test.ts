import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { testBackplane } from '../../helpers/backplane/contract.js'

testBackplane('the one in memory', () => createMemoryEngine())
