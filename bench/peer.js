import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Another process whose functions can be called from this one.
 *
 * @typedef {object} Peer
 * @property {(name: string, argument?: object) => Promise<any>} call rejects with what the
 *   function threw, or when the process has ended.
 * @property {() => void} stop
 */

/**
 * Starts a program that calls `serve`.
 *
 * @param {string} file in this directory.
 * @returns {Peer}
 */
export function startPeer (file) {
  const path = fileURLToPath(new URL(file, import.meta.url))
  // What a contender prints is not ours to show, and must not fill a pipe.
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = fork(path, { execArgv: ['--expose-gc'], stdio })
  const pending = new Map()
  let lastId = 0

  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = pending.get(id)
    pending.delete(id)
    if (error === undefined) resolve(value)
    else reject(new Error(error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of pending.values()) {
      reject(new Error(`${file} ended with ${signal ?? code}`))
    }
    pending.clear()
  })

  return {
    call (name, argument) {
      return new Promise((resolve, reject) => {
        const id = ++lastId
        pending.set(id, { resolve, reject })
        child.send({ id, name, argument }, (err) => err && reject(err))
      })
    },
    stop () {
      child.kill('SIGKILL')
    }
  }
}

/** Makes these functions callable by the process that started this one, and ends with it. */
export function serve (functions) {
  process.on('message', async ({ id, name, argument }) => {
    try {
      process.send({ id, value: await functions[name](argument) })
    } catch (err) {
      process.send({ id, error: err.message })
    }
  })
  process.on('disconnect', () => process.exit())
}
