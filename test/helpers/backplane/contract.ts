import { test } from 'tap'
import { backplaneContract } from '../../../src/cluster/contract/index.js'
import type { BackplaneContractOptions, BackplaneEngine } from '../../../src/cluster/contract/index.js'

/**
 * Holds a driver to the contract, one test of tap for each of its tests.
 *
 * @param options tap's: with `jobs`, so many of the tests run at once.
 */
export function testBackplane<Engine extends BackplaneEngine> (
  name: string, contract: BackplaneContractOptions<Engine>, options: object = {}
): void {
  test(`${name} fulfils the backplane contract`, options, async (t) => {
    const tests = backplaneContract(contract)
    await Promise.all(tests.map(({ title, run }) => t.test(title, { buffered: true }, () => run())))
  })
}
