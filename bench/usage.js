import { performance } from 'node:perf_hooks'

/** Microseconds of CPU that this process has used, in it and in the kernel for it. */
export function cpuMicros () {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Milliseconds on a clock that all processes of this machine share. */
export function nowMs () {
  return Number(process.hrtime.bigint()) / 1e6
}

/** What this process holds, in bytes, after garbage has been collected. */
export function memoryAfterGc () {
  // Twice: what the first collection finalises, the second one frees.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}

/** The state of this process's counters. */
export function usage () {
  const { idle, active } = performance.eventLoopUtilization()
  return { cpuMicros: cpuMicros(), atMs: nowMs(), idleMs: idle, activeMs: active }
}
