import { createRequire } from 'node:module'
import { textOf } from '../message.js'

const require = createRequire(import.meta.url)
const { platform, arch, versions } = process
/** The compiled copy itself: the package would fall back to JavaScript without a word to us. */
const BINARY = `binaries/uws_${platform}_${arch}_${versions.modules}.node`

/** uWebSockets.js: the event loop, HTTP and WebSocket in C++. Rejects where no copy loads. */
export async function start ({ host }) {
  const uws = require(`@trufflesuite/uws-js-unofficial/${BINARY}`)
  let count = 0
  const app = uws.App()
  app.ws('/*', {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    open (client) {
      count++
      client.subscribe('time')
    },
    close () {
      count--
    }
  })
  const listening = await new Promise((resolve) => app.listen(host, 0, resolve))
  return {
    port: uws.us_socket_local_port(listening),
    path: '/',
    fanOut: (seq) => app.publish('time', textOf(seq)),
    count: () => count
  }
}
