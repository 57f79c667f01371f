import { parseArgs } from 'node:util'

/**
 * Runs a benchmark with the options of its command line. Prints its usage for `--help`, and only
 * the message of an error.
 *
 * @param {object} program
 * @param {string} program.usage
 * @param {object} program.options as for `parseArgs`, without `help`.
 * @param {(values: object) => Promise<void>} program.main
 */
export async function runProgram ({ usage, options, main }) {
  try {
    const help = { type: 'boolean', default: false }
    const { values } = parseArgs({ options: { ...options, help } })
    if (values.help) console.log(usage)
    else await main(values)
  } catch (err) {
    console.error(`\n${err.message}`)
    process.exitCode = 1
  }
}
