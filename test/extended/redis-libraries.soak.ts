import { testLibrary } from '../helpers/backplane/redis-libraries.js'

testLibrary('iovalkey')
testLibrary('node-redis with RESP 2')
testLibrary('node-redis with RESP 3')
