import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'

/** The wall clock of another process, in our hands; its monotonic clock stays as it is. */
export interface FakeWallClock {
  /** What the environment of that process must have. */
  readonly env: Record<string, string>
  /** How far it is from the real one now, in seconds. */
  readonly offset: number
  /** Sets it forward by so many seconds, or back when negative. */
  step (seconds: number): void
}

/** Debian's libfaketime, where it is installed. */
const LIBRARY = readdirSync('/usr/lib', { withFileTypes: true })
  .map(({ name }) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path))

/** Whether there can be one. */
export const hasFakeWallClock = LIBRARY !== undefined

/** @param path of a file through which the other process is told. */
export function createFakeWallClock (path: string): FakeWallClock {
  let offset = 0
  function write (): void {
    // Renamed, so that it is never read half-written.
    writeFileSync(`${path}.new`, `${offset < 0 ? '' : '+'}${offset}s`)
    renameSync(`${path}.new`, path)
  }

  write()
  return {
    env: {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1'
    },
    get offset () {
      return offset
    },
    step (seconds) {
      offset += seconds
      write()
    }
  }
}
