import { testCallbacks } from './hostile/test-callbacks.js'

testCallbacks(120)
