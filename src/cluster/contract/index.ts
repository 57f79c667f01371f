import assert from 'node:assert/strict'
import { bytesOf, createContractTest, listen } from './contract-setup.js'
import type {
  BackplaneContractOptions, BackplaneContractTest, BackplaneEngine
} from './contract-setup.js'
import { createDeliveryTests } from './delivery-tests.js'
import { createOutageTests } from './outage-tests.js'

export type { Backplane, Deliver } from '../../api/backplane.js'
export type { BackplaneContractOptions, BackplaneContractTest, BackplaneEngine }

/**
 * Tests that hold a driver to the contract of `Backplane`, for any test runner:
 *
 * ```js
 * for (const { title, run } of backplaneContract({ startEngine })) test(title, run)
 * ```
 *
 * Each test starts an engine of its own. Some take several seconds: raise the runner's time limit
 * to a minute. With the hooks `stopEngine` and `restartEngine` the tests also cover outages.
 */
export function backplaneContract<Engine extends BackplaneEngine> (
  options: BackplaneContractOptions<Engine>
): readonly BackplaneContractTest[] {
  return [
    ...createDeliveryTests(options), ...createClientTests(options), ...createOutageTests(options)
  ]
}

function createClientTests<Engine extends BackplaneEngine> (
  options: BackplaneContractOptions<Engine>
): BackplaneContractTest[] {
  const { isClientOpen } = options
  if (isClientOpen === undefined) return []
  const title = 'does not close the client that it was given'
  return [createContractTest(options, title, async ({ engine, connect }) => {
    const backplane = await connect()
    await listen(backplane)
    await backplane.publish(bytesOf('a'))
    await backplane.close()
    assert.ok(await isClientOpen(engine), 'the client must still work after close()')
  })]
}
