import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { constants, copyFile, type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import type { DataStore } from '@tus/utils'

/**
 * Where uploaded files are stored, by key. The portal makes the keys: lower-case letters, digits, `-` and `/`; nothing in
 * them comes from users. A key is written once.
 */
export interface FileStore {
  /**
   * Stores everything that `source` gives. When it resolves, the file survives a crash; when it throws, nothing of it is
   * under the key. Throws AlreadyStored where there is a file under the key, which stays; StoreFull and StoreUnavailable.
   */
  write(key: string, source: AsyncIterable<Uint8Array>): Promise<Written>
  /** Reads a file, or a range of its bytes. Throws MissingFile. */
  read(key: string, range?: ByteRange): Promise<Readable>
  /**
   * An address from which a browser may fetch a file for a minute, without asking the portal; with the type and the
   * `Content-Disposition` that the answer has. Undefined where files come from the portal alone.
   */
  address?(key: string, as: { type: string; disposition: string }): Promise<string>
  /** Removes a file; nothing happens where there is none. */
  remove(key: string): Promise<void>
  /** The files whose keys begin with `folder/`, in no order. */
  list(folder: string): AsyncIterable<StoredFile>
  /** Removes what writes and uploads that broke off have left, if it is older than so many milliseconds. */
  tidy(age: number): Promise<void>
  /** Where uploads that can be resumed arrive. Those that stand still for `patience` milliseconds may be removed. */
  uploads(patience: number): Promise<DataStore>
  /** The first bytes of an upload, so many at most. Throws MissingFile. */
  head(upload: string, bytes: number): Promise<Uint8Array>
  /**
   * Stores an upload that has arrived under a key. It survives a crash when this resolves, and may be called again, until
   * the upload is removed: the bytes of the first time stay. Throws MissingFile.
   */
  adopt(upload: string, key: string): Promise<Written>
  /** Throws where nothing can be written, with a reason for the operator. */
  check(): Promise<void>
  /** Of encrypted files: seals their keys with the first secret, so that the others can be retired. */
  reseal?(): Promise<{ anew: number; lost: number }>
}

/** The first and the last byte, both included. */
export interface ByteRange {
  start: number
  end: number
}

export interface Written {
  /** In bytes. */
  size: number
  sha256: Buffer
}

export interface StoredFile {
  key: string
  /** How old it is, in milliseconds, by the clock of the store. */
  age: number
}

/** A file that should be in the store and is not. */
export class MissingFile extends Error {}

/** There is a file under this key already. */
export class AlreadyStored extends Error {}

/** The store has no space left. */
export class StoreFull extends Error {}

/** The store cannot be reached, or fails. Another try may succeed. */
export class StoreUnavailable extends Error {}

/** Stores files in a folder on a disk that all instances share. Nothing else may write into it. */
export function filesIn(folder: string): FileStore {
  const root = resolve(folder)
  const pathOf = (key: string) => join(root, 'kept', safe(key))
  return {
    async write(key, source) {
      const arriving = join(root, 'arriving', randomUUID())
      const path = pathOf(key)
      await mkdir(dirname(arriving), { recursive: true })
      try {
        const written = await writeDurably(arriving, source)
        await place(arriving, path)
        return written
      } catch (error) {
        throw told(error)
      } finally {
        await rm(arriving, { force: true })
      }
    },
    async read(key, range) {
      const path = pathOf(key)
      await stat(path).catch(missing(key))
      return createReadStream(path, range)
    },
    remove: key => rm(pathOf(key), { force: true }),
    async *list(folder) {
      const kept = join(root, 'kept')
      const now = await storeTime(root)
      for (const it of await entriesOf(join(kept, safe(folder))))
        yield { key: it.slice(kept.length + 1).replaceAll(sep, '/'), age: now - (await changedAt(it)) }
    },
    async uploads(patience) {
      const { FileStore } = await import('@tus/file-store')
      const directory = join(root, 'uploads')
      await mkdir(directory, { recursive: true })
      return new FileStore({ directory, expirationPeriodInMilliseconds: patience })
    },
    async head(upload, bytes) {
      const file = await open(join(root, 'uploads', safe(upload)), 'r').catch(missing(upload))
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
    async adopt(upload, key) {
      const [arrived, path] = [join(root, 'uploads', safe(upload)), pathOf(key)]
      const copy = join(root, 'arriving', randomUUID())
      await mkdir(dirname(copy), { recursive: true })
      try {
        // A copy, which costs nothing where the file system shares blocks: a request that still writes to the upload changes
        // nothing of the file.
        await copyFile(arrived, copy, constants.COPYFILE_FICLONE).catch(missing(key))
        await syncFile(copy)
        await place(copy, path)
      } catch (error) {
        if (!(error instanceof AlreadyStored)) throw told(error)
      } finally {
        await rm(copy, { force: true })
      }
      return hashed(path)
    },
    async tidy(age) {
      await (await this.uploads(age)).deleteExpired()
      const now = await storeTime(root)
      for (const it of await entriesOf(join(root, 'arriving')))
        if (now - (await changedAt(it)) > age) await rm(it, { force: true })
    },
    check: async () => void (await storeTime(root)),
  }
}

/** Gives a file its place, for good; it may stay under its old name as well. Throws AlreadyStored. */
async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await link(from, to).catch(async error => {
    if (error.code === 'EEXIST') throw new AlreadyStored(`${to} is there already`)
    // Not every file system has hard links.
    await rename(from, to)
  })
  await syncFolder(dirname(to))
}

/** The error of a disk, as the store's. */
const told = (error: unknown) => (isDiskFull(error) ? new StoreFull('the disk is full', { cause: error }) : error)

export const isDiskFull = (error: any): boolean => /^(ENOSPC|EDQUOT)$/.test(error?.code)

/** Writes and hashes a file, and waits until the disk has it. */
async function writeDurably(path: string, source: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = createHash('sha256')
  let size = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const part of source) {
      hash.update(part)
      size += part.length
      await writeAll(file, part)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { size, sha256: hash.digest() }
}

async function writeAll(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten
}

const hashed = (path: string) => hashOf(createReadStream(path, { highWaterMark: 1_048_576 }))

/** Reads a file through. */
export async function hashOf(file: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = createHash('sha256')
  let size = 0
  for await (const part of file) {
    hash.update(part)
    size += part.length
  }
  return { size, sha256: hash.digest() }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A renamed file is durable once its folder is (fsync(2)). Windows has no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const changedAt = async (path: string): Promise<number> => (await stat(path)).mtimeMs

/** What time it is for the disk, which may be another machine's. Throws where nothing can be written. */
async function storeTime(root: string): Promise<number> {
  const probe = join(root, 'arriving', randomUUID())
  await mkdir(dirname(probe), { recursive: true })
  await (await open(probe, 'wx')).close()
  const now = await changedAt(probe)
  await rm(probe)
  return now
}

const entriesOf = async (folder: string): Promise<string[]> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return found.filter(it => it.isFile()).map(it => join(it.parentPath, it.name))
}

/** Throws TypeError for what is no key. */
export function safe(key: string): string {
  if (!/^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(key)) throw new TypeError(`${JSON.stringify(key)} is no key of a file`)
  return key
}

const missing = (key: string) => (error: NodeJS.ErrnoException) => {
  throw error.code === 'ENOENT' ? new MissingFile(`${key} is not in the store`) : error
}
