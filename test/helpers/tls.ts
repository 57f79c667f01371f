import { readFileSync } from 'node:fs'

/** A self-signed certificate for localhost, for these tests alone: its key is no secret. */
export const https = {
  key: readFileSync(new URL('../fixtures/tls/key.pem', import.meta.url)),
  cert: readFileSync(new URL('../fixtures/tls/certificate.pem', import.meta.url))
}
