import { createHash } from 'node:crypto'
import { readJpeg } from './jpeg.ts'
import { readPicture } from './png.ts'
import { readWebp } from './webp.ts'

/** A photo that is only its picture: without place, time, camera, texts and whatever was behind it in the file. */
export interface Photo {
  type: 'image/jpeg' | 'image/png' | 'image/webp'
  bytes: Buffer
  /** Changes with the bytes. */
  version: string
}

/** The largest file, in bytes, and the most pixels each way. */
export const photoLimits = { bytes: 1_000_000, pixels: 2_000 }

/** By its content, not by its name. Undefined for what is no such picture, is damaged or too large. */
export function photoFrom(file: Uint8Array): Photo | undefined {
  if (!file.length || file.length > photoLimits.bytes) return undefined
  const bytes = Buffer.from(file)
  for (const [type, read] of readers) {
    const found = read(bytes)
    const fits = found && found.width <= photoLimits.pixels && found.height <= photoLimits.pixels
    if (fits) return { type, bytes: found.bytes, version: versionOf(found.bytes) }
  }
  return undefined
}

const readers = [
  ['image/jpeg', readJpeg],
  ['image/png', readPicture],
  ['image/webp', readWebp],
] as const

const versionOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
