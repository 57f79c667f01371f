import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import ts from 'typescript'
import { pathOf } from '../helpers/root.js'

/** A function with another body. Its test must notice. */
interface Mutation {
  readonly file: string
  /** The name of the function, method, or variable that holds the function. */
  readonly name: string
  readonly body: string
  /** A test file, relative to test/unit/. */
  readonly noticedBy: string
}

function mutation (file: string, name: string, body: string, noticedBy: string): Mutation {
  return { file: `src/${file}`, name, body, noticedBy: `test/unit/${noticedBy}` }
}

/**
 * Promises of the package, each broken once. They name functions, so they survive most edits.
 * `ONLY=log` runs those with this text in their title.
 */
const PROMISES: Readonly<Record<string, Mutation>> = {
  'a slow client skips ticks':
    mutation('connections/client-connection.ts', '#waitingBytes', 'return 0', 'connections/slow-client.test.ts'),
  'bytes of this turn make no client slow':
    mutation('connections/client-connection.ts', 'noteControlFrameWritten', '', 'connections/tls.test.ts'),
  'a message follows the broadcasts in progress':
    mutation('delivery/fan-out.ts', 'sendPendingDeliveries', '', 'delivery/interleaving.test.ts'),
  'a stall is followed by one tick':
    mutation('time/tick-schedule.ts', 'wake', 'lastBoundary++; onTick(tickAt(readClocks()!, lastBoundary, 0)); schedule(readClocks())', 'time/tick-schedule.test.ts'),
  'clock steps are noticed':
    mutation('time/wall-clock.ts', 'isStep', 'return false', 'time/wall-clock.test.ts'),
  'a stall terminates no healthy client':
    mutation('connections/heartbeat.ts', 'wasStalled', 'return false', 'connections/heartbeat.test.ts'),
  'a client that disappears is terminated':
    mutation('connections/heartbeat.ts', 'check', '', 'connections/heartbeat.test.ts'),
  'the rate of messages is limited':
    mutation('connections/rate-limit.ts', 'createBucket', 'return () => true', 'connections/rate-limit.test.ts'),
  'onMessage waits for onConnect':
    mutation('connections/client-callbacks.ts', 'afterOnConnect', 'action()', 'connections/connection-lifecycle.test.ts'),
  'close reasons are safe to log':
    mutation('connections/endings.ts', 'printable', 'return reason', 'connections/client.test.ts'),
  'pages of other origins are refused':
    mutation('http/origin-check.ts', 'isAllowed', 'return true', 'http/origin-check.test.ts'),
  'the number of clients is limited':
    mutation('http/capacity.ts', 'countOf', 'return 0', 'http/capacity.test.ts'),
  'the slot of a closed connection is freed':
    mutation('http/capacity.ts', 'freeSlot', '', 'http/capacity.test.ts'),
  'an upgrade ends in time':
    mutation('http/upgrade/upgrade-guard.ts', 'sweep', '', 'http/upgrade-guard.test.ts'),
  'an expired permission is refused':
    mutation('http/admission.ts', 'checkExpiry', 'return undefined', 'connections/permission.test.ts'),
  'exp of a JWT in seconds is noticed':
    mutation('util/values.ts', 'readMoment', 'return Number(value)', 'connections/permission.test.ts'),
  'no detail of an error leaves the server':
    mutation('http/error-handler.ts', 'hasErrorHandler', 'return true', 'http/refusal-answer.test.ts'),
  'each upgrade reaches one listener at a time':
    mutation('http/upgrade/upgrade-listeners.ts', 'isProxy', 'return true', 'http/upgrade-neighbours.test.ts'),
  '@fastify/websocket gets no upgrade past the dispatch':
    mutation('http/upgrade/upgrade-listeners.ts', 'createEmitter', 'return server as unknown as EventEmitter', 'http/upgrade-neighbours.test.ts'),
  'an upgrade that announces a body is answered over HTTP':
    mutation('http/upgrade/upgrade-socket.ts', 'announcesBody', 'return false', 'http/refusals.test.ts'),
  'a request for h2c is served as if it had not asked':
    mutation('http/upgrade/upgrade-socket.ts', 'returnToServer', 'request.socket.destroy()', 'http/upgrade-neighbours.test.ts'),
  'a pipelined upgrade waits for the responses before it':
    mutation('http/upgrade/upgrade-guard.ts', 'dispatchWhenFree', 'dispatch()', 'http/upgrade-neighbours.test.ts'),
  'an upgrade without a route is left to other listeners':
    mutation('http/upgrade/listener-turns.ts', 'passOn', 'done()', 'http/upgrade-neighbours.test.ts'),
  'a WebSocket for a plain route is refused':
    mutation('http/upgrade/plain-routes.ts', 'refusePlainRoute', 'done()', 'http/upgrade-neighbours.test.ts'),
  'a handshake that a proxy has stripped gets 426':
    mutation('http/route.ts', 'checkUpgradeHeader', 'return undefined', 'http/refusals.test.ts'),
  'refusals by the plugin are logged with their cause':
    mutation('http/refusals.ts', 'warn', '', 'http/refusals.test.ts'),
  'a hook that fails because of clients logs once in ten seconds':
    mutation('http/error-handler.ts', 'createErrorHandler', 'return async (error: unknown): Promise<never> => { throw error }', 'http/refusal-answer.test.ts'),
  'headers that hooks set are sent with the 101':
    mutation('http/handshake-headers.ts', 'keepReplyHeaders', 'done()', 'http/handshake-headers.test.ts'),
  'origins of apps may be listed':
    mutation('util/origins.ts', 'isAppOrigin', 'return false', 'http/origin-check.test.ts'),
  'an origin must match without normalization':
    mutation('util/origins.ts', 'parseOrigin', 'return canonicalOrigin(text)', 'http/origin-check.test.ts'),
  'a same-origin GET may name its page':
    mutation('http/origin-check.ts', 'pageOf', 'return undefined', 'http/plain-answer.test.ts'),
  'allowed foreign pages can read the answers':
    mutation('http/origin-check.ts', 'allowReading', '', 'http/cors.test.ts'),
  'the answer repeats the id of the request':
    mutation('http/plain-answer.ts', 'readId', 'return \'\'', 'http/plain-answer.test.ts'),
  'a full server says so in the answer':
    mutation('http/plain-answer.ts', 'describeRefusal', 'return \'\'', 'http/capacity.test.ts'),
  'an IPv6 network counts as one address':
    mutation('util/address.ts', 'networkOf', 'return ip', 'util/address.test.ts'),
  'shared work runs in the context of the registration':
    mutation('util/timers.ts', 'timersIn', 'return timers', 'util/timers.test.ts'),
  'a client\'s callbacks run in its own context':
    mutation('connections/connection-lifecycle.ts', 'createScope', 'return undefined', 'connections/async-context.test.ts'),
  'clients get 1001 when the HTTP server is closed first':
    mutation('connections/shutdown.ts', 'startOnServerClose', '', 'connections/shutdown.test.ts'),
  'only a boolean admits a client':
    mutation('util/values.ts', 'verdictOf', 'return Boolean(value)', 'util/values.test.ts'),
  'incomplete messages are limited':
    mutation('connections/client.ts', 'unfinishedBytes', 'return 0', 'connections/client-checks.test.ts'),
  'sync requests have a bucket of their own':
    mutation('connections/inbound-messages.ts', 'receiveSync', 'receive(client, \'\')', 'connections/inbound-messages.test.ts'),
  'a pending broadcast reaches a client that joins in one write':
    mutation('connections/client-connection.ts', 'writeTogether', 'write()', 'delivery/scheduled-delivery.test.ts'),
  'a context that throws harms no other client':
    mutation('delivery/broadcast-options.ts', 'hasFields', 'return fields.every(([name, wanted]) => (context as Record<string, unknown>)[name] === wanted)', 'delivery/broadcast-options.test.ts'),
  'no peer can claim more than it can have sent':
    mutation('cluster/peers.ts', 'note', 'const skipped = seq - (peers.get(name)?.seq ?? seq - step) - step; moveTo(name, seq); return skipped', 'cluster/peers.test.ts'),
  'an empty key from a peer is invalid':
    mutation('cluster/envelope.ts', 'isKey', 'return true', 'cluster/json-format.test.ts'),
  'a renewed permission is kept':
    mutation('connections/client.ts', 'expiresAtMonotonic', 'return undefined', 'connections/permission.test.ts'),
  'the served client answers conditional requests':
    mutation('http/served-client.ts', 'isCached', 'return false', 'http/served-client.test.ts'),
  'the served client is gzipped if accepted':
    mutation('http/served-client.ts', 'acceptsGzip', 'return false', 'http/served-client.test.ts'),
  'addresses are counted without their ports':
    mutation('util/address.ts', 'withoutPort', 'return ip', 'util/address.test.ts'),
  'a pending broadcast can be withdrawn':
    mutation('delivery/scheduled-broadcasts.ts', 'withdraw', '', 'delivery/scheduled-broadcasts.test.ts'),
  'values that JSON would lose are refused':
    mutation('protocol/outgoing-message.ts', 'isLostInJson', 'return false', 'protocol/outgoing-message.test.ts'),
  'a message of a peer is delivered once':
    mutation('cluster/peers.ts', 'noteMessage', 'return 0', 'cluster/peers.test.ts'),
  'an old peer can read what is sent':
    mutation('cluster/format-choice.ts', 'mustUseOldFormat', 'return false', 'cluster/format-choice.test.ts'),
  'shutdown is paced':
    mutation('connections/paced-close.ts', 'mayYield', 'return false', 'connections/paced-close.test.ts'),
  'clients cannot flood the log':
    mutation('observability/failure-log.ts', 'createFailureLog', 'return createOutageLog(log, name)', 'observability/failure-log.test.ts'),
  'now() never runs backwards':
    mutation('browser/time/displayed-clock.ts', 'shownAt', 'return targetAt(localMs)', 'browser/time/displayed-clock.test.ts'),
  'the budget of probes holds':
    mutation('browser/environment.ts', 'createBudget', 'return () => true', 'browser/environment.test.ts'),
  'the browser client backs off':
    mutation('browser/connection/reconnect-policy.ts', 'nextDelayMs', 'return 0', 'browser/connection/reconnect-policy.test.ts'),
  'a dead connection is noticed':
    mutation('browser/connection/watchdog.ts', 'check', '', 'browser/connection/watchdog.test.ts'),
  'an impossible answer is refused':
    mutation('browser/connection/received.ts', 'isTime', 'return true', 'browser/connection/connection.test.ts'),
  'waking up is noticed':
    mutation('browser/server-clock.ts', '#detectClockJump', '', 'browser/server-clock.test.ts'),
  'an answer that the page may not read shows that the server is up':
    mutation('browser/connection/time-request.ts', 'canReach', 'return Promise.resolve(false)', 'browser/connection/connection.test.ts'),
  'both transports share the budget of probes':
    mutation('browser/connection/time-request.ts', 'budget', 'return requestBudget()', 'browser/connection/probe-schedule.test.ts'),
  'constraints that the router refuses register nothing':
    mutation('http/registration.ts', 'assertConstraints', '', 'http/registration.test.ts'),
  'an upgrade that ends in an earlier hook is counted':
    mutation('http/refusals.ts', 'onEarlyEnd', '', 'http/refusals.test.ts'),
  'a countdown past 24.8 days waits':
    mutation('browser/environment.ts', 'createTimer',
      'let timer: unknown; return (callback, ms) => { clearTimeout(timer); timer = callback && setTimeout(callback, ms ?? 0) }',
      'browser/environment.test.ts')
}

/** What tap says of a test that it has given up: that is no proof that the test notices. */
const TIMEOUT = /^ *not ok .*timeout!/m

const project = await mkdtemp(join(tmpdir(), 'mutations-'))
for (const folder of ['src', 'test', 'example', 'package.json', 'tsconfig.json']) {
  await cp(pathOf(folder), join(project, folder), { recursive: true })
}
for (const folder of ['node_modules', 'dist']) await symlink(pathOf(folder), join(project, folder))
test('the copy of the project is removed', async (t) => {
  t.teardown(() => rm(project, { recursive: true, force: true }))
  const chosen = Object.entries(PROMISES)
    .filter(([promise]) => promise.includes(process.env['ONLY'] ?? ''))
  // Before any test runs, so that a function that has been renamed fails at once.
  const mutated = await Promise.all(chosen.map(async ([promise, mutation]) => {
    const path = join(project, mutation.file)
    const original = await readFile(path, 'utf8')
    return { promise, path, original, source: mutate(original, mutation), ...mutation }
  }))
  for (const file of new Set(chosen.map(([, { noticedBy }]) => noticedBy))) {
    await t.test(`${file} passes without a mutation`, async (t) => {
      const { code, output } = await runTest(file)
      t.equal(code, 0, 'the exit code')
      if (code !== 0) t.comment(output)
    })
  }
  for (const { promise, path, original, source, noticedBy } of mutated) {
    await t.test(`${noticedBy} notices unless ${promise}`, async (t) => {
      t.teardown(() => writeFile(path, original))
      await writeFile(path, source)
      const { code, output } = await runTest(noticedBy)
      t.not(code, 0, 'the exit code')
      t.match(output, /^ *not ok /m)
      t.notMatch(output, TIMEOUT)
    })
  }
})

/** @returns the source, with another body for the only function of this name. */
function mutate (source: string, { file, name, body }: Mutation): string {
  const found: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    const functionBody = bodyOf(node, name)
    if (functionBody !== undefined) found.push(functionBody)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
  const [first] = found
  if (first === undefined) throw new Error(`${file} has no function ${name}`)
  return `${source.slice(0, first.getStart())}{ ${body} }${source.slice(first.end)}`
}

function bodyOf (node: ts.Node, name: string): ts.Node | undefined {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) {
    return node.name?.getText() === name ? node.body : undefined
  }
  const [left, right] = ts.isBinaryExpression(node)
    ? [node.left, node.right]
    : ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)
      ? [node.name, node.initializer]
      : []
  return left?.getText() === name && right !== undefined && ts.isArrowFunction(right)
    ? right.body
    : undefined
}

async function runTest (file: string): Promise<{ code: number, output: string }> {
  // In seconds, and longer than `waitFor` waits: the test must fail before tap gives up. See
  // `TIMEOUT`.
  const args = ['test/run.js', '--disable-coverage', '--bail', '--timeout=600', file]
  const child = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<number>((resolve) => child.on('close', resolve))
  const output = await text(child.stdout)
  return { code: await closed, output }
}
