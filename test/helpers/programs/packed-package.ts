import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { t as file } from 'tap'
import { outputOf } from './program.js'
import { pathOf } from '../root.js'

/** The package as it would be published, and a project that has installed it. */
export interface PackedPackage {
  /** The path of the tarball. */
  readonly tarball: string
  /** The project's directory: it has, besides, what the package declares, and Node's types. */
  readonly project: string
  /** Where the package lies in it. */
  readonly directory: string
}

interface Manifest {
  readonly name: string
  readonly dependencies: Record<string, string>
  readonly peerDependencies: Record<string, string>
}

export const ROOT = pathOf('./')
const MANIFEST: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** The names of the packages that the package may import. */
export const DECLARED: readonly string[] =
  Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.peerDependencies })

let packed: Promise<PackedPackage> | undefined

/**
 * Packs what `npm run build` has built, and installs it outside of this repository, once for all
 * tests of a file. Needs no network: what the package depends on is linked from here, so that
 * there is one copy of each.
 */
export async function packPackage (): Promise<PackedPackage> {
  packed ??= packAndInstall()
  return await packed
}

async function packAndInstall (): Promise<PackedPackage> {
  const project = await realpath(await mkdtemp(join(tmpdir(), 'time-socket-')))
  file.teardown(() => rm(project, { recursive: true }))

  await outputOf('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: ROOT })
  const [filename = ''] = await readdir(project)
  const tarball = join(project, filename)
  const directory = join(project, 'node_modules', MANIFEST.name)
  await mkdir(directory, { recursive: true })
  await outputOf('tar', ['-xzf', tarball, '-C', directory, '--strip-components=1'])

  for (const name of [...DECLARED, '@types/node']) {
    const link = join(project, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), link, 'junction')
  }
  return { tarball, project, directory }
}
