import { readFileSync } from 'node:fs'
import { pathOf } from '../root.js'

/** A self-signed certificate for localhost, for these tests alone: its key is no secret. */
export const https = {
  key: readFileSync(pathOf('test/fixtures/tls/key.pem')),
  cert: readFileSync(pathOf('test/fixtures/tls/certificate.pem'))
}
