import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chown, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Obstacle } from '../obstacle.ts'
import type { Place } from './claim.ts'
import type { Programs } from './programs.ts'

/** Creates the cluster unless it is there; one that was interrupted is begun again. */
export async function createCluster(place: Place, programs: Programs, log: (line: string) => void): Promise<void> {
  if (await exists(place.cluster)) return
  log('creating the database')
  await removeUnfinished(place)
  const unfinished = await mkdtemp(join(place.directory, 'unfinished-'))
  await writeFile(passwordFile(place), randomBytes(24).toString('base64url'), { mode: 0o600 })
  const { account } = place
  if (account) for (const path of [unfinished, passwordFile(place)]) await chown(path, account.uid, account.gid)
  await initialise(place, programs, unfinished)
  await rename(unfinished, place.cluster)
}

export const passwordFile = (place: Place) => join(place.directory, 'password')

/**
 * Where PostgreSQL looks for its data. Another account may not be able to walk the path to it (through /root,
 * say), yet it can use the folder in which it was started, and Linux has a name for that one.
 */
export function dataArgument(place: Place, folder: string): string {
  return place.account ? '/proc/self/cwd' : folder
}

export function surroundings(place: Place, folder: string) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', ...preloaded() }
  return { cwd: folder, ...place.account, env }
}

/** A clock that tests have put before the system's holds for the server too. */
const preloaded = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(LD_PRELOAD|FAKETIME.*)$/.test(name)))

async function removeUnfinished({ directory }: Place) {
  for (const name of await readdir(directory))
    if (name.startsWith('unfinished-')) await rm(join(directory, name), { recursive: true, force: true })
}

async function initialise(place: Place, programs: Programs, folder: string) {
  const data = dataArgument(place, folder)
  const access = ['--username=postgres', `--pwfile=${data}/../password`, '--auth=scram-sha-256']
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const args = ['-D', data, ...access, ...locale, ...(place.quick ? ['--no-sync', '--set=scram_iterations=1'] : [])]
  await promisify(execFile)(programs.initdb, args, surroundings(place, folder)).catch(({ stderr, message }) => {
    throw new Obstacle(`PostgreSQL could not create its files in ${place.directory}: ${(stderr || message).trim()}`)
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
