import { PROFILES } from '../../test/helpers/simulation/profiles.js'
import type { ProfileName } from '../../test/helpers/simulation/profiles.js'

/** True for the name of a simulated network. */
export function isProfile (name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name)
}

/** @throws {TypeError} that says what was expected. */
export function assert (isFulfilled: boolean, expected: string): void {
  if (!isFulfilled) throw new TypeError(expected)
}

/** Prints the text, to stderr unless the code is 0, and ends the process. */
export function end (code: number, text: string): never {
  (code === 0 ? process.stdout : process.stderr).write(text)
  process.exit(code)
}
