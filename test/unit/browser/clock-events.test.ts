import { test } from 'tap'

test('importing the clock works in a runtime without EventTarget', async (t) => {
  const { EventTarget } = globalThis
  t.teardown(() => Object.assign(globalThis, { EventTarget }))
  Reflect.deleteProperty(globalThis, 'EventTarget')
  // Another query: the module is evaluated anew.
  const module = '../../../src/browser/clock-events.js?without-event-target'
  const { ClockEventTarget } = await import(module)
  t.type(new ClockEventTarget(), 'object')
})
