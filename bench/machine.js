import os from 'node:os'

/** What the figures depend on, in the words of the report. Names nobody's computer. */
export function describeMachine () {
  const [cpu] = os.cpus()
  return {
    node: process.versions.node,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    loadAverage: os.loadavg().map((value) => Number(value.toFixed(2)))
  }
}

/** The same in a line. */
export function formatMachine ({ node, system, cpu, cores, memoryGiB, loadAverage }) {
  return `Node.js ${node}, ${system}, ${cores} × ${cpu}, ${memoryGiB} GiB, ` +
    `load average at the start ${loadAverage.join(' ')}`
}

/** How many files, and so connections, a process may have open; Infinity where unlimited. */
export function openFilesLimit () {
  process.report.excludeNetwork = true
  const soft = process.report.getReport().userLimits?.open_files.soft
  return typeof soft === 'number' ? soft : Infinity
}
