import { chmod, chown, mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Obstacle } from '../obstacle.ts'
import { type Account, removeCopy, unprivilegedAccount } from './programs.ts'

/** A folder that is ours until `release`: nobody else starts PostgreSQL in it meanwhile. */
export interface Place {
  directory: string
  cluster: string
  quick: boolean
  throwaway: boolean
  /** Who runs PostgreSQL; undefined: ourselves. */
  account: Account | undefined
  lock: DatabaseSync
}

export async function claim(folder: string, kind: Pick<Place, 'quick' | 'throwaway'>): Promise<Place> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const directory = await realpath(folder)
    const cluster = join(directory, 'cluster')
    const account = await unprivilegedAccount(cluster)
    const lock = lockFolder(join(directory, 'lock'))
    if (account) for (const path of [directory, join(directory, 'lock')]) await chown(path, account.uid, account.gid)
    await chmod(directory, 0o700)
    return { directory, cluster, ...kind, account, lock }
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException & { errcode?: number }, folder)
  }
}

export async function release(place: Place): Promise<void> {
  await removeCopy(place)
  place.lock.close()
  if (place.throwaway) await rm(place.directory, { recursive: true, force: true })
}

/** SQLite's lock is the operating system's: it ends with this process, kill -9 included, so it is never stale. */
function lockFolder(file: string): DatabaseSync {
  const lock = new DatabaseSync(file, { timeout: 500 })
  lock.exec('BEGIN EXCLUSIVE')
  return lock
}

const SQLITE_BUSY = 5

function explained(error: NodeJS.ErrnoException & { errcode?: number }, folder: string): Error {
  if (error.errcode === SQLITE_BUSY)
    return new Obstacle(
      `Portico already runs with the data in ${folder}. Stop it there (Ctrl-C), or choose another folder with PORTICO_DATA.`,
    )
  if (!error.code) return error
  return new Obstacle(
    `${folder} cannot be written (${error.message}): make it yours, or choose another folder with PORTICO_DATA.`,
  )
}
