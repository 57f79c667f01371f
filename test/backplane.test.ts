import { createMemoryEngine } from './backplane/memory.js'
import { testBackplane } from './backplane/contract.js'

testBackplane('the one in memory', () => createMemoryEngine())
