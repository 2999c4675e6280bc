import { createHash } from 'node:crypto'
import { readPicture } from './png.ts'
import { readDrawing } from './svg.ts'

/** Safe to be shown: an SVG that only draws, or a PNG that is only its picture. */
export interface Logo {
  type: 'image/svg+xml' | 'image/png'
  bytes: Buffer
  width: number
  height: number
  /** Changes with the bytes. */
  version: string
  /** How much of the file was left out. */
  left: number
}

const mostBytes = 200_000

/** By its content, not by its name. Undefined for what is neither, is damaged or too large. */
export function logoFrom(file: Uint8Array): Logo | undefined {
  if (!file.length || file.length > mostBytes) return undefined
  const bytes = Buffer.from(file)
  const png = readPicture(bytes)
  if (png) return { type: 'image/png', ...png, version: versionOf(png.bytes), left: 0 }
  const svg = readDrawing(textOf(bytes))
  if (!svg) return undefined
  const { text, ...more } = svg
  const written = Buffer.from(text)
  return { type: 'image/svg+xml', bytes: written, ...more, version: versionOf(written) }
}

const versionOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64url').slice(0, 16)

const textOf = (bytes: Buffer) => {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  return new TextDecoder(utf16 ? 'utf-16le' : 'utf-8').decode(bytes)
}
