import { test } from 'tap'
import { createTickEncoder, FORMATS } from '../../../src/time/tick-format.js'
import type { Format } from '../../../src/api/option-values.js'
import { createTimeApp } from '../../helpers/network/app.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { inject } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

const TICK = {
  seq: 7, at: 1_795_262_405_000, sent: 1_795_262_405_000.437, interval: 5000, clockSteps: 2
}

for (const [name, text] of [
  ['iso', '2026-11-21T12:00:05.000Z'],
  ['date-string', new Date(1_795_262_405_000).toString()],
  ['timestamp', '1795262405000'],
  ['json', '{"type":"tick","seq":7,"at":1795262405000,"sent":1795262405000.44,"interval":5000,"clockSteps":2}']
] as const) {
  test(`${name} looks like ${text}`, async (t) => {
    t.equal(FORMATS[name](TICK), text)
  })
}

test('encodes strings as text and bytes as binary', async (t) => {
  const log = createFakeOutageLog()
  const text = createTickEncoder(({ seq }) => `é${seq}`, log)(TICK)
  t.strictSame(text?.bytes, Buffer.concat([Buffer.of(0x81, 3), Buffer.from('é7')]))
  t.strictSame(createTickEncoder(() => Uint8Array.of(5), log)(TICK)?.bytes, Buffer.of(0x82, 1, 5))
  t.strictSame(log.told, ['worked', 'worked'])
})

const failures: [title: string, format: () => unknown, message: string][] = [
  ['throws', () => { throw new Error('no database') }, 'no database'],
  ['returns nothing', () => undefined, 'the formatter must return a non-empty string or bytes, got undefined'],
  ['returns null', () => null, 'the formatter must return a non-empty string or bytes, got null'],
  ['returns an empty string', () => '', 'the formatter must return a non-empty string or bytes, got \'\''],
  ['returns a number', () => 5, 'the formatter must return a non-empty string or bytes, got 5'],
  ['returns a Date', () => new Date(0), 'the formatter must return a non-empty string or bytes, got 1970-01-01T00:00:00.000Z'],
  ['returns an array', () => [1], 'the formatter must return a non-empty string or bytes, got [ 1 ]'],
  ['returns a promise', async () => 'now', 'the formatter must return a non-empty string or bytes, got Promise'],
  ['returns a promise that rejects', () => Promise.reject(new Error('no')), 'the formatter must return a non-empty string or bytes, got Promise']
]

for (const [title, format, message] of failures) {
  test(`creates no frame if a format ${title}, and reports to the log`, async (t) => {
    const log = createFakeOutageLog()
    t.equal(createTickEncoder(format as Format, log)(TICK), undefined)
    t.equal(log.told.length, 1)
    t.ok((log.told[0] as Error).message.startsWith(message), (log.told[0] as Error).message)
  })

  test(`a format that ${title} costs its ticks and two log lines, and nothing else`, async (t) => {
    let isFailing = true
    let tickCount = 0
    const { app, log, timeSocket } = await createTimeApp(t, {
      interval: 20,
      format: (() => isFailing ? format() : 'now') as Format,
      onTick (_tick, delivery) {
        tickCount++
        if (isFailing) t.strictSame(delivery, { delivered: 0, skipped: 0 })
      }
    })
    const peer = await inject(app)
    await waitFor(() => tickCount >= 3, 'three ticks')
    timeSocket.broadcast('news')
    t.strictSame(await peer.received(1), ['news'], 'no tick, but everything else')
    const failed = tickCount + 1
    isFailing = false
    await peer.received(3)
    t.strictSame(log.messages('error'), ['the formatter failed', 'the formatter works again'])
    t.equal(log.lines.find(({ msg }) => msg === 'the formatter works again')?.failures, failed)
  })
}
