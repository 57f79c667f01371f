import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { readArguments, USAGE } from './arguments.js'
import { drawChart } from './chart.js'
import { missingPackage, versionOf } from './contenders.js'
import { assertFaster } from './in-process.js'
import { describeMachine, formatMachine } from './machine.js'
import { createProgress } from './progress.js'
import { summarise } from './report.js'
import { createSamples, runConnectRounds, runCpuRounds, runStallRounds } from './rounds.js'
import { startRunner } from './runner.js'
import { createRandom } from './statistics.js'
import { formatTables } from './table.js'

/** Fan-outs of a turn, however many messages that are. */
const MIN_FAN_OUTS = 3
const BUILT_PLUGIN = new URL('../dist/index.js', import.meta.url).href

main(process.argv.slice(2)).catch((err) => {
  console.error(`\n${err.message}`)
  process.exitCode = 1
})

/** Compares what one message to many clients costs; README.md says how. */
async function main (args) {
  const options = readArguments(args)
  if (options.help) return console.log(USAGE)
  const plugin = options.plugin === undefined ? BUILT_PLUGIN : pathToFileURL(options.plugin).href
  const contenders = options.contenders.filter(isInstalled)
  const machine = describeMachine()
  console.log(formatMachine(machine))
  const versions = versionsOf(contenders)
  console.log(Object.entries(versions).map((entry) => entry.join(' ')).join(', '))

  const results = []
  for (const clientCount of options.clientCounts) {
    const summaries = await compare(contenders, { ...options, plugin, clientCount })
    console.log(`\n${clientCount} clients, seed ${options.seed}\n${formatTables(summaries)}`)
    results.push({ clientCount, contenders: summaries })
  }
  const { rounds, seed } = options
  const report = { at: new Date().toISOString(), machine, versions, rounds, seed, results }
  if (options.json !== undefined) {
    await writeFile(options.json, JSON.stringify(report, null, 2) + '\n')
  }
  if (options.svg !== undefined) await writeFile(options.svg, drawChart(report))
  if (options.smoke) console.log(await assertFaster(plugin))
}

function isInstalled (contender) {
  const missing = missingPackage(contender)
  if (missing !== undefined) console.log(`${contender.name}: skipped, ${missing} is not installed`)
  return missing === undefined
}

function versionsOf (contenders) {
  const names = new Set(contenders.flatMap(({ needs }) => needs))
  return Object.fromEntries([...names].map((name) => [name, versionOf(name)]))
}

/** Has all contenders up at once, and in turn. @returns their summaries. */
async function compare (contenders, settings) {
  const { clientCount, rounds, connectRounds, stallRounds, seed, messages } = settings
  const progress = createProgress()
  const runners = await startRunners(contenders, settings)
  const run = {
    runners,
    samples: new Map(runners.map((runner) => [runner, createSamples()])),
    random: createRandom(seed),
    progress: (text) => progress.show(`${clientCount} clients, ${text}`)
  }
  try {
    await runConnectRounds(run, connectRounds, clientCount)
    const fanOutCount = Math.max(MIN_FAN_OUTS, Math.round(messages / clientCount))
    await runCpuRounds(run, rounds, { clientCount, fanOutCount })
    await runStallRounds(run, stallRounds)
  } finally {
    progress.clear()
    for (const runner of runners) runner.stop()
  }
  return summarise(run.samples)
}

/** All that run here; one that is optional and does not gets a line. */
async function startRunners (contenders, settings) {
  const started = await Promise.allSettled(contenders.map((contender) => {
    return startRunner(contender, settings)
  }))
  const runners = started.flatMap(({ value }) => value ?? [])
  for (const [index, { reason }] of started.entries()) {
    if (reason === undefined) continue
    const { name, optional } = contenders[index]
    if (!optional) {
      for (const runner of runners) runner.stop()
      throw new Error(`${name}: ${reason.message}`)
    }
    console.log(`${name}: skipped, ${reason.message}`)
  }
  return runners
}
