import { testLibrary } from '../../helpers/backplane/redis-libraries.js'

testLibrary('ioredis')
