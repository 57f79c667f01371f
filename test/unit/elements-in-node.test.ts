import { test } from 'tap'

test('importing the elements in Node.js does nothing', async (t) => {
  const before = Object.getOwnPropertyNames(globalThis).sort()
  const elements = await import('../../src/elements/index.js')
  t.strictSame(Object.getOwnPropertyNames(globalThis).sort(), before)
  t.strictSame(Object.keys(elements).sort(), ['ServerCountdownElement', 'ServerTimeElement'])
})
