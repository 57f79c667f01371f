import { runProgram } from './program.js'

export const PYTHON = '/usr/bin/python3'

/**
 * Options for tests that need a module of Python: they are skipped where it is missing.
 *
 * @throws where `CI` is set: there, nothing is skipped.
 */
export async function requirePython (module: string) {
  const { code } = await runProgram(PYTHON, ['-c', `import ${module}`])
  const isMissing = code !== 0
  if (isMissing && process.env['CI'] === 'true') throw new Error(`install python3-${module}`)
  return { skip: isMissing && `there is no python3-${module}` }
}
