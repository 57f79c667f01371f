/** One way to break the code, and the test that must notice. */
export interface Mutation {
  /** What is broken then. */
  readonly name: string
  /** In `src/`. */
  readonly file: string
  /** What occurs there exactly once. */
  readonly find: string
  readonly replace: string
  /** In `test/`. */
  readonly test: string
}

const rows: [name: string, file: string, find: string, replace: string, test: string][] = [
  // Upgrades.
  ['upgrades are not guarded', 'plugin.ts', 'guardUpgrades(app, options.handshakeTimeout)', '{ release () {} }', 'upgrade-guard.test.ts'],
  ['an upgrade has no deadline', 'upgrade-guard.ts', 'setTimeout(expire, guard.timeoutMs, stream)', 'setTimeout(() => {}, 1)', 'upgrade-guard.test.ts'],
  ['a refused upgrade stays open', 'upgrade-guard.ts', "response?.once('finish', () => socket.destroySoon())", '{}', 'upgrade-guard.test.ts'],
  ['a hanging upgrade outlives the server', 'upgrade-guard.ts', 'if (!isAnswered(socket)) answer(socket, new UnavailableError())', '', 'upgrade-guard.test.ts'],
  ['an upgrade while closing is not refused', 'upgrade-guard.ts', 'if (isClosing)', 'if (false)', 'upgrade-guard.test.ts'],
  ['a WebSocket of others is cut off', 'upgrade-guard.ts', 'if (!isTaken) answer', 'answer', 'upgrade-guard.test.ts'],
  ['context is not waited for', 'route.ts', 'await options.context(request)', 'options.context(request)', 'route.test.ts'],

  // Shutting down.
  ['who stays is not terminated', 'farewell.ts', 'leavers[terminatedCount++]?.terminate()', 'terminatedCount++', 'farewell.test.ts'],
  ['many clients are told without a pause', 'farewell.ts', 'nowMs + SLICE_MS', 'Infinity', 'farewell.test.ts'],
  ['the last are told too late to answer', 'farewell.ts', 'graceMs / 2', 'graceMs * 2', 'farewell.test.ts'],
  ['the end waits until all have been told', 'farewell.ts', '+ graceMs, deadlineMs)', '+ graceMs)', 'farewell.test.ts'],
  ['the 1001 are not spread', 'plugin.ts', 'spread: spreadMs }', 'grace: spreadMs }', 'drain.test.ts'],
  ['who comes meanwhile has a grace beyond the end', 'drain.ts', 'for (const client of clients.byId.values()) client.terminate()', '', 'drain.test.ts'],
  ['who comes after the drain stays', 'plugin.ts', 'if (drain.started) drain.sendHome(client)', '', 'drain.test.ts'],
  ['onClose is not waited for', 'drain.ts', 'clients.whenEmpty().then(whenTold)', 'clients.whenEmpty()', 'drain.test.ts'],
  ['newcomers are not refused', 'plugin.ts', 'isClosing: () => drain.started', 'isClosing: () => false', 'drain.test.ts'],
  ['broadcasts end with the first 1001', 'plugin.ts', 'isClosed: () => drain.hasTold', 'isClosed: () => drain.started', 'drain.test.ts'],
  ['registrations do not drain together', 'drain.ts', 'others.push(drain)', '', 'drain.test.ts'],
  ['@fastify/websocket knows our clients', 'plugin.ts', 'app.websocketServer.clients?.delete(ws)', '', 'websocket-server.test.ts'],

  // One client.
  ['a direct write overtakes ws', 'client.ts', 'bufferedBytes === 0 && ', '', 'slow-client.test.ts'],
  ['a slow client is not cut off', 'client.ts', 'this.#waitingBytes(bufferedBytes) > this.#host.maxBufferedBytes', 'false', 'slow-client.test.ts'],
  ['a slow client is sent ticks', 'client.ts', 'this.#waitingBytes(this.#ws.bufferedAmount) > 0', 'false', 'slow-client.test.ts'],
  ['bytes of this turn count as slowness', 'client.ts', 'bufferedBytes - this.#turnBytes', 'bufferedBytes', 'slow-client.test.ts'],
  ['a closing client is written to', 'client.ts', 'if (!this.isOpen) return false', '', 'client.test.ts'],
  ['messages are compressed', 'client.ts', 'compress: false', 'compress: true', 'slow-client.test.ts'],
  ['a message overtakes a broadcast on its way', 'client.ts', 'this.#host.sending(this)\n    return', 'return', 'fan-out.test.ts'],
  ['onClose may throw', 'connections.ts', 'attempt(faults.onClose, () => options.onClose(client, info), { id: client.id })', 'options.onClose(client, info) as true', 'connections.test.ts'],
  ['onClose does not wait for onConnect', 'connections.ts', 'if (waiting === undefined) return tellClose', 'if (true) return tellClose', 'connections.test.ts'],
  ['messages do not wait for onConnect', 'connections.ts', 'if (held === undefined) tellMessage', 'if (true) tellMessage', 'connections.test.ts'],

  // Ticks.
  ['a boundary is sent twice', 'ticker.ts', ' && moment.boundary > lastBoundary', '', 'ticker.test.ts'],
  ['a tick starts while one is on its way', 'ticker.ts', 'if (!due || isBusy()) return', 'if (!due) return', 'ticker.test.ts'],
  ['missed boundaries are made up for', 'ticker.ts', 'if (due) lastBoundary = moment.boundary', 'if (due) lastBoundary++', 'ticker.test.ts']
]

/** Adding one takes one row above. */
export const MUTATIONS: readonly Mutation[] = rows.map(([name, file, find, replace, test]) => (
  { name, file: `src/${file}`, find, replace, test: `test/${test}` }
))
