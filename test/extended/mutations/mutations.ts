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
  ['upgrades are not guarded', 'plugin.ts', 'guardUpgrades(app, options.handshakeTimeout)', '{ release () {}, follow () {} }', 'upgrade-guard.test.ts'],
  ['an upgrade has no deadline', 'upgrade-guard.ts', 'sweeping ??= setTimeout(sweep, guard.timeoutMs).unref()', '', 'upgrade-guard.test.ts'],
  ['a refused upgrade stays open', 'upgrade-guard.ts', "response?.once('finish', () => socket.destroySoon())", '{}', 'upgrade-guard.test.ts'],
  ['a hanging upgrade outlives the server', 'upgrade-guard.ts', 'for (const socket of pending.keys()) end(socket, new UnavailableError())', '', 'upgrade-guard.test.ts'],
  ['an upgrade while closing is not refused', 'upgrade-guard.ts', 'if (isClosing)', 'if (false)', 'upgrade-guard.test.ts'],
  ['a WebSocket of others is cut off', 'upgrade-guard.ts', 'if (socket.bytesWritten === upgrade.bytesBefore) {', 'if (true) {', 'upgrade-guard.test.ts'],
  ['context is not waited for', 'route.ts', 'return answers.then(([context, expiresAt]) => admitAs(context, expiresAt))', 'answers.catch(() => {}); admitAs(context, undefined); return done()', 'route.test.ts'],
  ['an answer that nobody reads holds its connection', 'upgrade-guard.ts', 'socket.destroy()\n    }', '}', 'upgrade-guard.test.ts'],

  // Admission.
  ['any origin may connect', 'origin.ts', 'if (origin === undefined || isAllowed(origin, request)) return undefined', 'return undefined', 'origin.test.ts'],
  ['origins are compared by their beginning', 'origin.ts', '`) === parsed', '`)?.startsWith(parsed) === true', 'origin.test.ts'],
  ['maxClients is not looked at', 'capacity.ts', 'networks.size >= maxClients', 'false', 'capacity.test.ts'],
  ['maxClientsPerIp is not looked at', 'capacity.ts', 'countOf(network) >= maxClientsPerIp', 'false', 'capacity.test.ts'],
  ['a slot is not given back', 'capacity.ts', 'networks.delete(this)', '', 'capacity.test.ts'],
  ['the first subprotocol is echoed', 'subprotocol.ts', 'headers[HEADER] = chosen', '', 'subprotocol.test.ts'],
  ['a plain request may wait for ever', 'time-limit.ts', 'expire(request, reply)', '{}', 'time-limit.test.ts'],

  // Shutting down.
  ['who stays is not terminated', 'farewell.ts', 'leavers[terminatedCount++]?.terminate()', 'terminatedCount++', 'farewell.test.ts'],
  ['many clients are told without a pause', 'farewell.ts', 'nowMs + SLICE_MS', 'Infinity', 'farewell.test.ts'],
  ['the last are told too late to answer', 'farewell.ts', 'graceMs / 2', 'graceMs * 2', 'farewell.test.ts'],
  ['the end waits until all have been told', 'farewell.ts', '+ graceMs, deadlineMs)', '+ graceMs)', 'farewell.test.ts'],
  ['the 1001 are not spread', 'plugin.ts', 'spread: spreadMs }', 'grace: spreadMs }', 'drain.test.ts'],
  ['who comes meanwhile has a grace beyond the end', 'drain.ts', 'for (const client of clients.byId.values()) client.terminate()', '', 'drain.test.ts'],
  ['who comes after the drain stays', 'plugin.ts', 'if (drain.started) drain.sendHome(client)', '', 'drain.test.ts'],
  ['onClose is not waited for', 'drain.ts', 'clients.whenEmpty().then(whenTold)', 'clients.whenEmpty()', 'drain.test.ts'],
  ['a backlog holds the shutdown up', 'drain.ts', 'onHurry: abandon', 'onHurry: () => {}', 'drain.test.ts'],
  ['newcomers are not refused', 'plugin.ts', 'isClosing: () => drain.started', 'isClosing: () => false', 'drain.test.ts'],
  ['broadcasts end with the first 1001', 'plugin.ts', '(): boolean => drain.hasTold', '(): boolean => drain.started', 'drain.test.ts'],
  ['registrations do not drain together', 'drain.ts', 'others.push(drain)', '', 'drain.test.ts'],
  ['@fastify/websocket knows our clients', 'plugin.ts', 'disown(app.websocketServer, ws)', '', 'websocket-server.test.ts'],
  // Several servers.
  ['echoes are delivered', 'receiver.ts', ' || origin === identity.origin) return', ') return', 'receiver.test.ts'],
  ['duplicates are delivered', 'origins.ts', 'return seq > last ? seq - last - 1 : undefined', 'return Math.max(0, seq - last - 1)', 'receiver.test.ts'],
  ['gaps are not counted', 'receiver.ts', 'counters.lost += missingCount', '', 'receiver.test.ts'],
  ['a lost tail is not counted', 'receiver.ts', 'counters.lost += origins.catchUp(origin, seq)', 'origins.catchUp(origin, seq)', 'receiver.test.ts'],
  ['old messages are delivered', 'receiver.ts', 'now() - message.sent > MAX_AGE_MS', 'false', 'receiver.test.ts'],
  ['reading goes on at the end', 'redis/reader.ts', 'isBefore(newestId, lastId) ? rewind(newestId, REWIND_MS) : lastId', 'newestId', 'redis/reader.test.ts'],
  ['a stream that was replaced is not noticed', 'redis/reader.ts', 'isBefore(newestId, lastId) ? rewind(newestId, REWIND_MS) : lastId', 'lastId', 'redis/reader.test.ts'],
  ['the queue has no bound of bytes', 'redis/queue.ts', 'bytes > maxBytes', 'false', 'redis/queue.test.ts'],
  ['the queue has no bound of age', 'redis/queue.ts', 'cancelExpiry ??= timers.after', 'if (false) timers.after', 'redis/queue.test.ts'],
  ['a message overtakes one that failed', 'redis/writer.ts', 'queue.putBack(batch.slice(storedCount), err)', 'queue.putBack(batch, err)', 'redis/writer.test.ts'],
  ['what is local travels', 'broadcast.ts', 'filter === undefined && !local', 'true', 'several-servers.test.ts'],

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

  // Limits and liveness.
  ['a message may come in any number of fragments', 'websocket-server.ts', 'maxFragments: MAX_FRAGMENTS, ', '', 'limits.test.ts'],
  ['messages may be as large as ws allows', 'client.ts', 'data.length > this.#host.maxMessageBytes', 'false', 'limits.test.ts'],
  ['messages may come as often as they like', 'inbox.ts', 'if (!limit.takes(client, timers.monotonic())) return', 'if (false) return', 'limits.test.ts'],
  ['pings may come as often as they like', 'connections.ts', 'if (!limit.takes(client, timers.monotonic())) client.fail(TOO_MANY_MESSAGES)', '', 'limits.test.ts'],
  ['a flood is taken apart to its end', 'client.ts', 'this.end(ending)\n    this.#discardInput()', 'this.end(ending)', 'limits.test.ts'],
  ['what comes after a close is read', 'client.ts', 'if (this.isEnding) this.#discardInput()\n    else if (data', 'if (this.isEnding) {}\n    else if (data', 'limits.test.ts'],
  ['a flood is read to its end', 'discard-input.ts', 'if (leftBytes < 0) socket.pause()', '', 'discard-input.test.ts'],
  ['messages are held without end', 'connections.ts', 'held.length < MAX_HELD_MESSAGES', 'true', 'connections.test.ts'],
  ['permissions do not end', 'watch.ts', 'client.expiresMs <= nowMs', 'false', 'watch.test.ts'],
  ['a permission that has ended is taken', 'route.ts', 'return new ExpiredError()', 'return undefined', 'permission.test.ts'],
  ['who does not finish closing stays', 'watch.ts', 'nowMs - client.leavingMs >= CLOSE_TIMEOUT_MS', 'false', 'watch.test.ts'],
  ['the dead are not found', 'heartbeat.ts', 'client.destroy(SILENT)', '{}', 'heartbeat.test.ts'],
  ['a stall counts as silence', 'watch.ts', '    // In step', '    for (let ms = nowMs - dueMs; ms > everyMs; ms -= everyMs) heartbeat?.nextRound()\n    // In step', 'heartbeat.test.ts'],
  ['a stall passes for a round trip', 'client.ts', 'if (!this.#host.wasHeldUp(this, tookMs)) ', '', 'stalls.test.ts'],
  ['rounds that are missing are not missed', 'heartbeat.ts', '+ 2) * roundMs', '+ 2) * Infinity', 'heartbeat.test.ts'],
  ['a number beyond all is told as null', 'time-messages.ts', 'JSON.stringify(data, refuseInfinity)', 'JSON.stringify(data)', 'hostile-json.test.ts'],
  ['onConnect may throw', 'connections.ts', 'attempt(faults.onConnect, () => options.onConnect(client), { id: client.id })', 'options.onConnect(client) as true', 'connections.test.ts'],
  ['onMessage may throw', 'connections.ts', 'attempt(faults.onMessage, tell, { id: client.id })', 'tell() as true', 'connections.test.ts'],
  ['onTick may throw', 'ticks.ts', 'attempt(fault, () => options.onTick(tick, Object.freeze(delivery)))', 'options.onTick(tick, Object.freeze(delivery))', 'ticks.test.ts'],
  ["a promise's own then is called", 'attempt.ts', 'adopt(result)', 'Promise.resolve(result)', 'callbacks.test.ts'],
  ["the context's own then is called", 'route.ts', 'adopt(context), ', 'context, ', 'callbacks.test.ts'],
  ['a rejected format is a surprise', 'format.ts', 'disregard(output)', '{}', 'callbacks.test.ts'],
  ['a rejected verdict is a surprise', 'verdict.ts', 'disregard(answer)', '{}', 'callbacks.test.ts'],
  ['a format may throw', 'format.ts', 'fault.occurred(err)\n      return undefined', 'throw err', 'format.test.ts'],
  ['a callback fails at length', 'fault.ts', 'const isQuiet = nowMs < quietUntilMs', 'const isQuiet = false', 'callbacks.test.ts'],

  // Scheduled broadcasts.
  ['what is due is sent early', 'agenda.ts', 'filter(({ atMs }) => atMs <= nowMs)', 'filter(({ atMs }) => atMs <= nowMs + 1)', 'agenda.test.ts'],
  ['a step of the clock is slept over', 'agenda.ts', 'Math.min(remainingMs, MAX_SLEEP_MS)', 'remainingMs', 'agenda.test.ts'],
  ['what is due keeps the order of the calls', 'agenda.ts', 'due.sort((a, b) => a.atMs - b.atMs)', 'due', 'agenda.test.ts'],
  ['what is deleted is due all the same', 'agenda.ts', 'if (items.delete(item)) onDue(item)', 'items.delete(item)\n      onDue(item)', 'agenda.test.ts'],
  ['the schedule keeps the process alive', 'agenda.ts', 'timers.after(', 'timers.hold(', 'scheduled-broadcasts.test.ts'],
  ['time.v1 gets it twice', 'scheduled.ts', 'chosen.has(client) && !isEarly(client, message)', 'chosen.has(client)', 'scheduled.test.ts'],
  ['clients are chosen anew when it is time', 'scheduled.ts', 'chosen.has(client) && !isEarly', 'true && !isEarly', 'scheduled.test.ts'],
  ['a replaced one is sent all the same', 'scheduled.ts', '    agenda.delete(entry)\n', '', 'scheduled.test.ts'],
  ['who has the replaced one alone keeps it', 'scheduled.ts', ' && !replacing.has(client)', ' && replacing.has(client)', 'scheduled.test.ts'],
  ['everybody is told of a cancel', 'scheduled.ts', 'entry.chosen.has(client) && ', '', 'scheduled.test.ts'],
  ['any number may be pending', 'scheduled.ts', 'agenda.size >= MAX_SCHEDULED', 'false', 'scheduled.test.ts'],
  ['one that replaces needs room', 'scheduled.ts', 'replaced === undefined && agenda', 'agenda', 'scheduled.test.ts'],
  ['what onConnect schedules comes twice', 'scheduled.ts', 'entry.number > latest || ', '', 'scheduled.test.ts'],
  ['what a filter cancels is sent', 'scheduled.ts', ' || !agenda.has(entry)', '', 'scheduled.test.ts'],
  ['who joins is not sent what is pending', 'connections.ts', 'sendScheduled(client)', '{}', 'scheduled-broadcasts.test.ts'],
  ['what is pending outlives the socket', 'plugin.ts', 'broadcaster.close()', '', 'scheduled-broadcasts.test.ts'],
  ['bytes are sent early', 'scheduled.ts', "form === 'time' && !binary", "form === 'time'", 'scheduled.test.ts'],

  // Ticks.
  ['a boundary is sent twice', 'ticker.ts', ' || passed <= 0', '', 'ticker.test.ts'],
  ['a tick starts while one is on its way', 'ticker.ts', 'if (isLeftOut) return', '', 'ticker.test.ts'],
  ['a step costs a tick', 'ticker.ts', 'Math.floor((lineMs - elapsedMs + BEHIND_MS) / intervalMs)', 'boundary', 'ticker.test.ts'],
  ['a boundary comes twice when the clock steps by a hair less', 'ticker.ts', ' + BEHIND_MS) /', ') /', 'ticker.test.ts'],
  ['missed boundaries are made up for', 'ticker.ts', '    lastBoundary = moment.boundary\n    arm', '    lastBoundary++\n    arm', 'ticker.test.ts'],

  // The client's clock.
  ['the clock runs backwards', 'client/slew.ts', 'latestMs = Math.max(latestMs, shownAt(localMs))', 'latestMs = shownAt(localMs)', 'client/slew.test.ts'],
  ['a correction is made at once', 'client/slew.ts', 'Math.abs(restMs) - rate * (localMs - changedMs)', '0', 'client/slew.test.ts'],
  ['a large correction is slewed, too', 'client/slew.ts', 'Math.abs(restMs) <= stepThreshold', 'true', 'client/slew.test.ts'],
  ['what is known outlives its epoch', 'client/session.ts', 'message.epoch !== epoch || ', '', 'client/session.test.ts'],
  ['what is known outlives its server', 'client/session.ts', ' || newServer !== server', '', 'client/session.test.ts'],
  ['what is known is lost with the connection', 'client/session.ts', 'if (!agreed) slew.forget()', 'slew.forget()', 'client/session.test.ts'],
  ['a clock that nobody has set right claims to be', 'client/estimator.ts', 'error: Infinity', 'error: 0', 'client/server-clock.test.ts'],
  ['what contradicts is believed', 'client/estimator.ts', '!line || isSound(line.widthMs, rttMs)', 'true', 'client/estimator.test.ts'],
  ['the bound does not grow with time', 'client/line.ts', 'errorMs + growth * Math.abs(localMs - endMs)', 'errorMs', 'client/estimator.test.ts'],
  ['the middle of the corridor is missed', 'client/line.ts', '(least(upper, skew) - least(lower, -skew)) / 2', 'least(upper, skew)', 'client/estimator.test.ts'],
  ['a coarse clock is taken for a fine one', 'client/quantum.ts', 'Math.min(quantumUs, COARSEST_US) / 1000', '0', 'client/quantum.test.ts'],
  ['calls back early', 'client/timetable.ts', 'const isDue = dueMs <= nowMs', 'const isDue = dueMs <= nowMs + 5', 'client/timetable.test.ts'],
  ['calls back again and again', 'client/timetable.ts', 'if (periodMs === Infinity) entries.delete(entry)', '', 'client/timetable.test.ts'],
  ['calls back between two multiples', 'client/timetable.ts', '+ 1) * periodMs', '+ 1) * periodMs + 10', 'client/timetable.test.ts'],
  ['ready waits for a clock that is closed', 'client/clock.ts', "state === 'closed' || state === 'refused' ? state : ", '', 'client/server-clock.test.ts'],
  ['ready waits for a plain server', 'client/clock.ts', "session.speaks === false && 'plain'", 'false', 'client/session.test.ts'],
  ['all come back together', 'client/connection.ts', 'environment.random() * limitMs', 'limitMs', 'client/connection.test.ts'],
  ['a backoff has no limit', 'client/connection.ts', 'Math.min(MAX_BACKOFF_MS, ', 'Math.min(Infinity, ', 'client/connection.test.ts'],
  ['Retry-After is not heeded', 'client/connection.ts', 'Math.max(waitMs, ', 'Math.max(0, ', 'client/connection.test.ts'],
  ['comes back though it is forbidden', 'client/connection.ts', 'const isFinal = status === 401 || status === 403', 'const isFinal = false', 'client/connection.test.ts'],
  ['a refusal that cannot be read is the last', 'client/connection.ts', 'const isFinal = status === 401', 'const isFinal = status === 0 || status === 401', 'client/connection.test.ts'],
  ['a plain server is never tried without a subprotocol', 'client/connection.ts', 'offers = isConfirmed || wasOpen || !offers || status > 428', 'offers = true', 'client/connection.test.ts'],
  ['a dead connection is kept', 'client/watchdog.ts', 'if (isAsked && silentLooks > ANSWER_PATIENCE) drop()', '', 'client/watchdog.test.ts'],
  ['waking is not noticed', 'client/clock.ts', 'for (const event of PAGE_EVENTS) page.addEventListener?.(event, resync)', '', 'client/probes.test.ts'],
  ['asks as often as at first', 'client/probes.ts', 'pauseMs *= GROWTH', '', 'client/probes.test.ts'],
  ['what is to come is told at once', 'client/scheduled.ts', 'timetable.at(at, ', 'timetable.at(0, ', 'client/scheduled.test.ts'],
  ['what is withdrawn is told', 'client/session.ts', "else if (type === 'cancel') scheduled.cancel(message.key)", '', 'client/scheduled.test.ts'],
  ['what comes again is told again', 'client/scheduled.ts', 'if (entries.get(id)?.text === text) return', '', 'client/scheduled.test.ts'],

  // The protocol, and what can be seen.
  ['the time that an answer waits counts as the way', 'inbox.ts', 'timers.monotonic() - monotonicMs', '0', 'inbox.test.ts'],
  ['any number is an id', 'time-messages.ts', ' && Number(id) <= MAX_ID', '', 'time-messages.test.ts'],
  ['times are told with all their digits', 'time-messages.ts', 'Math.round(ms * 100) / 100', 'ms', 'time-messages.test.ts'],
  ['who closes is not told why', 'observer.ts', "publish('close', { client, cause, code })", "publish('close', { client })", 'observer.test.ts'],
  ['statistics change after they were read', 'observer.ts', 'structuredClone(counters)', 'counters', 'observer.test.ts'],
  ['lateness is not recorded', 'observer.ts', 'lateness.record(tick.sent - tick.at)', '', 'observer.test.ts'],
]

/** Adding one takes one row above. */
export const MUTATIONS: readonly Mutation[] = rows.map(([name, file, find, replace, test]) => (
  { name, file: `src/${file}`, find, replace, test: `test/${test}` }
))
