import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * A server to compare.
 *
 * @typedef {object} Contender
 * @property {string} name for `--only` and the JSON.
 * @property {string} title for people.
 * @property {string} file in `contenders/`: exports `start(settings)`, which resolves with
 *   `{ port, path, fanOut(seq), count() }`; `fanOut` sends one message to all clients, `count`
 *   tells how many there are.
 * @property {string} wire how clients connect, a name in `wires.js`.
 * @property {string[]} needs the packages that it is made of, for their versions.
 * @property {boolean} [optional] whether it may fail to start: there is no build for every system.
 * @property {number} [loads] processes that its clients are spread over. Default 1.
 * @property {boolean} [spread] whether each client has its own time within `intervalMs`: then
 *   there is no last client and no stall, and fewer rounds, because each takes an interval.
 * @property {object} [settings] that only this contender gets.
 */

/** @type {Contender[]} */
export const CONTENDERS = [
  {
    name: 'ours',
    title: 'fastify-time-socket',
    file: 'ours.js',
    wire: 'websocket',
    needs: ['fastify', '@fastify/websocket']
  },
  {
    name: 'fastify-websocket',
    title: '@fastify/websocket, loop',
    file: 'fastify-websocket.js',
    wire: 'websocket',
    needs: ['fastify', '@fastify/websocket']
  },
  { name: 'ws', title: 'ws, loop', file: 'ws.js', wire: 'websocket', needs: ['ws'] },
  {
    name: 'lecture',
    title: 'express + ws, timer per client',
    file: 'lecture.js',
    wire: 'websocket',
    needs: ['express', 'ws'],
    spread: true
  },
  {
    name: 'socket.io',
    title: 'socket.io, io.emit',
    file: 'socket-io.js',
    wire: 'socket.io',
    needs: ['socket.io']
  },
  {
    name: 'sse',
    title: 'server-sent events, res.write',
    file: 'event-stream.js',
    wire: 'event-stream',
    needs: []
  },
  {
    name: 'uws',
    title: 'uWebSockets.js, publish',
    file: 'uws.js',
    wire: 'websocket',
    needs: ['@trufflesuite/uws-js-unofficial'],
    optional: true
  },
  { name: 'net', title: 'raw net, socket.write', file: 'net.js', wire: 'raw', needs: [] },
  {
    name: 'net-control',
    title: 'the same, two load processes',
    file: 'net.js',
    wire: 'raw',
    needs: [],
    loads: 2
  }
]

const require = createRequire(import.meta.url)

/** The first package that it needs and that is not installed here; undefined if none. */
export function missingPackage ({ needs }) {
  return needs.find((name) => versionOf(name) === undefined)
}

/** The version of an installed package; undefined if it is not installed. */
export function versionOf (name) {
  // Not by require.resolve of the manifest: a package's exports may leave it out.
  const paths = (require.resolve.paths(name) ?? []).map((path) => `${path}/${name}/package.json`)
  const manifest = paths.find((path) => existsSync(path))
  return manifest === undefined ? undefined : require(manifest).version
}
