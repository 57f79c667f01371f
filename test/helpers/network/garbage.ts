import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects all garbage, now. */
export const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the heap in use, without garbage. */
export async function heapBytes (): Promise<number> {
  // Twice, with a turn between: finalisers and closing sockets let go of more.
  for (let count = 0; count < 2; count++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}
