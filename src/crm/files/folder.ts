import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import { largest, Refused } from './limits.ts'

/**
 * A file by its path under a folder. Undefined where there is none. Throws Refused for a path that leads anywhere else:
 * absolute, through `..`, or by a symbolic link (CWE-22, CWE-59; OWASP ASVS 5.0, 5.3.2).
 */
export async function fileUnder(folder: string, path: string): Promise<Buffer | undefined> {
  if (path.includes('\0') || isAbsolute(path) || /^[a-z]:|\\/i.test(path) || path.split('/').includes('..'))
    throw new Refused(`${JSON.stringify(path)} is no path under ${folder}`)
  const root = await realpath(folder)
  const wanted = join(root, normalize(path))
  const real = await realpath(wanted).catch(absent)
  if (real === undefined) return undefined
  if (real !== wanted) throw new Refused(`${JSON.stringify(path)} is reached by a symbolic link`)
  // Nothing may take its place between the look and the reading, and no pipe may keep us waiting.
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(absent)
  if (!file) return undefined
  try {
    const { size } = await plain(file, path)
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await file.read(bytes, 0, size, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function plain(file: Awaited<ReturnType<typeof open>>, path: string) {
  const facts = await file.stat()
  if (!facts.isFile()) throw new Refused(`${JSON.stringify(path)} is no file`)
  if (facts.size > largest) throw new Refused(`${JSON.stringify(path)} has ${facts.size} bytes, more than ${largest}`)
  return facts
}

const absent = (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
