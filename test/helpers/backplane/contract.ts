import { test } from 'tap'
import { backplaneContract } from '../../../src/cluster/contract/index.js'
import type { BackplaneContractOptions, BackplaneEngine } from '../../../src/cluster/contract/index.js'

/** Holds a driver to the contract, one test of tap for each of its tests. */
export function testBackplane<Engine extends BackplaneEngine> (
  name: string, contract: BackplaneContractOptions<Engine>, options: object = {}
): void {
  test(`${name} fulfils the backplane contract`, options, async (t) => {
    for (const { title, run } of backplaneContract(contract)) await t.test(title, () => run())
  })
}
