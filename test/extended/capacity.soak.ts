import { test } from 'tap'
import { CHURN_LIMITS, createChurn, fillUp } from '../helpers/network/churn.js'

const COUNT = 10_000

for (const [title, limits] of CHURN_LIMITS) {
  test(`after ${COUNT} clients ${title}, there is room for as many clients as before`, {
    timeout: 300_000
  }, async (t) => {
    const churn = await createChurn(t, limits)
    await churn.run(COUNT)
    const { answers, expected } = await fillUp(churn.port, limits)
    t.strictSame(answers, expected)
  })
}
