import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { createLog } from '../../helpers/fakes/log.js'
import { CLOSE_FRAME, openRaw, request, textFrame, upgradeRequest } from '../../helpers/network/raw.js'

type Test = Parameters<typeof createTimeApp>[0]

/** Sends a secret in every place that a client can. @returns all that it could be seen in. */
async function show (t: Test, options: TimeSocketOptions, secret: string, headers: string[] = []) {
  const log = createLog()
  const { app, timeSocket } = await createTimeApp(t, {
    handshakeTimeout: 100, shutdown: { grace: 50 }, protocols: ['chat'], ...options
  }, { logger: { ...log.logger, level: 'trace' } })
  const port = await listen(app)
  const given = {
    headers: [
      `Cookie: session=${secret}`, `Authorization: Bearer ${secret}`, `X-Ticket: ${secret}`, ...headers
    ]
  }
  const path = `/time?token=${secret}`
  const offer = { headers: [`Sec-WebSocket-Protocol: ${secret}, chat`, ...given.headers] }
  const bytes = Buffer.concat([
    Buffer.from(upgradeRequest(path, offer)), textFrame(secret), CLOSE_FRAME
  ])
  const answers = await Promise.all([
    openRaw(port, bytes).ended,
    openRaw(port, request(path, { headers: [...given.headers, 'Connection: close'] })).ended
  ])
  await timeSocket.close()
  // Fastify's own, which is known to carry the query.
  const lines = log.lines.filter(({ msg }) => msg !== 'incoming request')
  return { answers, lines, statuses: answers.map((answer) => Number(answer.slice(9, 12))) }
}

const cases: [
  title: string, options: TimeSocketOptions, statuses: number[], headers?: string[]
][] = [
  ['a client that is admitted', {}, [101, 200]],
  ['an origin that is refused', {}, [403, 403], ['Origin: https://evil.com']],
  ['an origin that is admitted', { origin: '*' }, [101, 200], ['Origin: https://b.org']],
  ['an origin function that throws', { origin: () => { throw new Error('no') } }, [500, 500], ['Origin: https://b.org']],
  ['a refused subprotocol', { protocols: [] }, [400, 200]],
  ['a hook that refuses', { preValidation: async (_request, reply) => reply.code(401).send('no') }, [401, 401]],
  ['a hook that throws', { preValidation: async () => { throw new Error('no database') } }, [500, 500]],
  ['a hook that hangs', { preValidation: () => new Promise(() => {}) }, [503, 503]],
  ['a context that throws', { context: () => { throw new Error('no database') } }, [500, 200]],
  ['an onConnect that throws', { onConnect: () => { throw new Error('no database') } }, [101, 200]],
  ['an onMessage that throws', { onMessage: () => { throw new Error('no database') } }, [101, 200]],
  ['a schema that refuses', { route: { schema: { querystring: { type: 'object', required: ['room'] } } } }, [400, 400]]
]

for (const [title, options, statuses, headers] of cases) {
  test(`${title} leaves no secret in answers, close reasons or the log`, async (t) => {
    const secret = randomBytes(16).toString('hex')
    const shown = await show(t, options, secret, headers)
    t.strictSame(shown.statuses, statuses)
    t.not(shown.lines.length, 0)
    t.notMatch(JSON.stringify([shown.answers, shown.lines]), secret)
    const [upgrade = ''] = shown.answers
    t.equal(/\r\nSec-WebSocket-Protocol: chat\r\n/i.test(upgrade), statuses[0] === 101)
  })
}

test('a client that is refused for capacity leaves no secret in answers or the log', async (t) => {
  const secret = randomBytes(16).toString('hex')
  for (const limits of [{ maxClients: 1 }, { maxClientsPerIp: 1 }]) {
    const log = createLog()
    const { app } = await createTimeApp(t, { ...limits, shutdown: { grace: 50 } }, {
      logger: { ...log.logger, level: 'trace' }
    })
    const port = await listen(app)
    await openRaw(port, upgradeRequest('/time')).answered
    const offer = { headers: [`Sec-WebSocket-Protocol: ${secret}`, `Cookie: ${secret}`] }
    const answers = [
      await openRaw(port, upgradeRequest(`/time?token=${secret}`, offer)).ended,
      await openRaw(port, request(`/time?token=${secret}`, {
        headers: [...offer.headers, 'Connection: close']
      })).ended
    ]
    t.match(answers, [/^HTTP\/1\.1 (503|429) /, /^HTTP\/1\.1 200 .*"upgrade":/s])
    const lines = log.lines.filter(({ msg }) => msg !== 'incoming request')
    t.notMatch(JSON.stringify([answers, lines]), secret)
  }
})

test('the search would find a secret: Fastify\'s own log line has the query', async (t) => {
  const secret = randomBytes(16).toString('hex')
  const { app, log } = await createTimeApp(t)
  await app.inject(`/time?token=${secret}`)
  t.match(JSON.stringify(log.lines), secret)
})
