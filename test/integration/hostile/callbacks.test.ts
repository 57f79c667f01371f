import { testCallbacks } from '../../helpers/hostile/test-callbacks.js'

testCallbacks(120)
