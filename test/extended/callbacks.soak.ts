import { testCallbacks } from '../helpers/hostile/test-callbacks.js'

testCallbacks(1000)
