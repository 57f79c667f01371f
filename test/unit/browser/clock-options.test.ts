import { test } from 'tap'
import { ServerClock } from '../../../src/browser/index.js'
import { resolveOptions } from '../../../src/browser/clock-options.js'

test('options', async (t) => {
  await t.test('have defaults, which also replace undefined', async (t) => {
    const given = { slew: undefined, sync: { skew: undefined } }
    const { environment: _environment, ...settings } = resolveOptions(given)
    t.strictSame(settings, {
      protocols: [],
      transport: 'auto',
      slew: 0.05,
      stepThreshold: 250,
      sync: { probes: 3, every: 60_000, skew: 0 },
      autoOpen: true
    })
  })

  const wrong: [options: unknown, error: 'TypeError' | 'RangeError', message: string][] = [
    [null, 'TypeError', 'options must be an object, but got null'],
    [{ slow: 1 }, 'TypeError', 'options must be any of protocols, transport, slew, stepThreshold, sync, autoOpen, environment, but got "slow"'],
    [{ protocols: 'a' }, 'TypeError', 'protocols must be an array of strings, but got "a"'],
    [{ protocols: [5] }, 'TypeError', 'protocols must be an array of strings, but got 5'],
    [{ protocols: ['a b'] }, 'RangeError', 'protocols must be distinct tokens other than "time.v1", but got a b'],
    [{ protocols: ['time.v1'] }, 'RangeError', 'protocols must be distinct tokens other than "time.v1", but got time.v1'],
    [{ transport: 'udp' }, 'RangeError', 'transport must be "auto", "websocket" or "http", but got "udp"'],
    [{ slew: '5 %' }, 'TypeError', 'slew must be a number, but got "5 %"'],
    [{ slew: 0 }, 'RangeError', 'slew must be more than 0 and at most 1, but got 0'],
    [{ slew: NaN }, 'RangeError', 'slew must be more than 0 and at most 1, but got NaN'],
    [{ stepThreshold: -1 }, 'RangeError', 'stepThreshold must be 0 or more, but got -1'],
    [{ sync: 5 }, 'TypeError', 'sync must be an object, but got 5'],
    [{ sync: { often: 1 } }, 'TypeError', 'sync must be any of probes, every, skew, but got "often"'],
    [{ sync: { probes: 1.5 } }, 'RangeError', 'sync.probes must be an integer from 0 to 10, but got 1.5'],
    [{ sync: { every: 10 } }, 'RangeError', 'sync.every must be 1000 or more, but got 10'],
    [{ sync: { skew: 1 } }, 'RangeError', 'sync.skew must be within ± 0.0005, but got 1'],
    [{ autoOpen: 1 }, 'TypeError', 'autoOpen must be true or false, but got 1'],
    [{ environment: 5 }, 'TypeError', 'environment must be an object, but got 5'],
    [{ environment: { fetch: 5 } }, 'TypeError', 'environment.fetch must be a function, but got 5'],
    [{ environment: { page: 5 } }, 'TypeError', 'environment.page must be an object, but got 5']
  ]
  for (const [options, name, message] of wrong) {
    await t.test(`are refused: ${message}`, async (t) => {
      // @ts-expect-error: that is what is tested
      const make = () => new ServerClock('http://localhost/', options)
      t.throws(make, { name, message: `ServerClock: ${message}` })
    })
  }
})
