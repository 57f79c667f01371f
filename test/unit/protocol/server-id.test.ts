import { test } from 'tap'
import { SERVER_ID } from '../../../src/protocol/server-id.js'

test('names this process in eight letters and digits', async (t) => {
  t.match(SERVER_ID, /^[0-9a-z]{8}$/)
})
