import { testCallbacks } from '../hostile/test-callbacks.js'

testCallbacks(1000)
