import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { ResolvedOptions } from '../api/options.js'
import type { Log } from '../observability/log.js'
import { readHeaderList } from '../util/header-list.js'
import { withoutUndefined } from '../util/values.js'
import { addVary } from './origin-check.js'

/** A script that pages load from a path below the time socket's URL. */
export interface ServedFile {
  /** The file's name, such as `client.js`. */
  readonly name: string
  readonly plain: Buffer
  readonly gzipped: Buffer
  /** A weak ETag (RFC 9110 §8.8.3), which covers both encodings. */
  readonly etag: string
}

/** Where the build puts the scripts: the same path from `src/http/` and from `dist/http/`. */
const DIRECTORY = '../../dist/served/'
/** The names of the scripts. */
export const SERVED_NAMES = ['client.js', 'elements.js']

const HEADERS = {
  'content-type': 'text/javascript; charset=utf-8',
  // Caches store the script, and revalidate it on each use.
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin'
}

const compress = promisify(gzip)
/** The scripts by URL: each is read and compressed once for all registrations. */
const files = new Map<string, Promise<ServedFile>>()

/**
 * Creates the routes for the browser client and the elements. They run no hooks of the time
 * socket's route. If the server was bundled into one file, the scripts are missing: the result is
 * then empty, and one warning is logged.
 */
export async function createServedRoutes<Context> (
  options: ResolvedOptions<Context>, log: Log, directory: string = DIRECTORY
): Promise<RouteOptions[]> {
  if (!options.serveClient) return []
  try {
    const served = await Promise.all(SERVED_NAMES.map((name) => load(name, directory)))
    return served.map((file) => createServedRoute(file, options))
  } catch (err) {
    log.warn({ err }, 'the browser client is not served: its files are missing. Keep ' +
      'fastify-time-socket out of the bundle, or set serveClient to false')
    return []
  }
}

/** The path of a script, relative to the prefix of the surrounding scope. */
export function servedPath (url: string, name: string): string {
  return `${url.replace(/\/$/, '')}/${name}`
}

function createServedRoute<Context> (
  file: ServedFile, { url, route, logLevel, logSerializers }: ResolvedOptions<Context>
): RouteOptions {
  const { constraints } = route
  return {
    ...withoutUndefined({ logLevel, logSerializers, constraints }),
    // Not exposeHeadRoute, whose 304 would have a Content-Length of 0.
    method: ['GET', 'HEAD'],
    url: servedPath(url, file.name),
    handler: (request, reply) => serve(file, request, reply)
  }
}

function serve (file: ServedFile, { headers }: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...HEADERS, etag: file.etag })
  addVary(reply, 'accept-encoding')
  if (isCached(headers['if-none-match'], file.etag)) {
    reply.code(304).send()
  } else if (acceptsGzip(headers['accept-encoding'])) {
    reply.header('content-encoding', 'gzip').send(file.gzipped)
  } else {
    reply.send(file.plain)
  }
}

async function load (name: string, directory: string): Promise<ServedFile> {
  // new URL() throws in a CommonJS bundle, where import.meta.url is undefined.
  const file = new URL(name, new URL(directory, import.meta.url))
  let loading = files.get(file.href)
  if (loading === undefined) {
    loading = read(file)
    files.set(file.href, loading)
  }
  return await loading
}

async function read (file: URL): Promise<ServedFile> {
  const plain = await readFile(file)
  const gzipped = await compress(plain, { level: 9 })
  // In hexadecimal, so that letter case does not matter.
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 32)
  return { name: basename(file.pathname), plain, gzipped, etag: `W/"${hash}"` }
}

/** Compares weakly (RFC 9110 §13.1.2): a cache may have turned a weak tag into a strong one. */
function isCached (ifNoneMatch: string | undefined, etag: string): boolean {
  const opaque = (tag: string) => tag.replace(/^w\//i, '')
  return ifNoneMatch !== undefined && readHeaderList(ifNoneMatch)
    .some(({ value }) => value === '*' || opaque(value) === opaque(etag))
}

function acceptsGzip (acceptEncoding: string | string[] | undefined): boolean {
  return readHeaderList(String(acceptEncoding ?? '')).some(({ value }) => value === 'gzip')
}
