import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import type { Readable } from 'node:stream'
import { type ByteRange, MissingFile } from '../../platform/files.ts'
import { largest, Refused } from './limits.ts'

/**
 * A file by its path under a folder. Undefined where there is none. Throws Refused for a path that leads anywhere else:
 * absolute, through `..`, or by a symbolic link (CWE-22, CWE-59; OWASP ASVS 5.0, 5.3.2).
 */
export async function fileUnder(folder: string, path: string): Promise<Buffer | undefined> {
  const file = await handleUnder(folder, path)
  if (!file) return undefined
  try {
    const { size } = await plain(file, path)
    if (size > largest) throw new Refused(`${JSON.stringify(path)} has ${size} bytes, more than ${largest}`)
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await file.read(bytes, 0, size, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The same, for a file of any size that is streamed, whole or a range of it: with its size and the time of its change. */
export async function openUnder(
  folder: string,
  path: string,
): Promise<{ size: number; changed: number; open(range?: ByteRange): Promise<Readable> } | undefined> {
  const file = await handleUnder(folder, path)
  if (!file) return undefined
  const { size, mtimeMs } = await plain(file, path).finally(() => file.close())
  return {
    size,
    changed: mtimeMs,
    async open(range) {
      const again = await handleUnder(folder, path)
      if (!again) throw new MissingFile(`${path} is not there any more`)
      await plain(again, path).catch(async error => {
        await again.close()
        throw error
      })
      return again.createReadStream(range)
    },
  }
}

async function handleUnder(folder: string, path: string): Promise<FileHandle | undefined> {
  if (path.includes('\0') || isAbsolute(path) || /^[a-z]:|\\/i.test(path) || path.split('/').includes('..'))
    throw new Refused(`${JSON.stringify(path)} is no path under ${folder}`)
  const root = await realpath(folder)
  const wanted = join(root, normalize(path))
  const real = await realpath(wanted).catch(absent)
  if (real === undefined) return undefined
  if (real !== wanted) throw new Refused(`${JSON.stringify(path)} is reached by a symbolic link`)
  // Nothing may take its place between the look and the reading, and no pipe may keep us waiting.
  return open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(absent)
}

async function plain(file: FileHandle, path: string) {
  const facts = await file.stat()
  if (!facts.isFile()) throw new Refused(`${JSON.stringify(path)} is no file`)
  return facts
}

const absent = (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
