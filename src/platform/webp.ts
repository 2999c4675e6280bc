import type { Picture } from './png.ts'

/** What is needed to show it; places, times, other frames and anything unknown are left out. */
const needed = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ICCP'])

/** Flags of VP8X that stay: colour profile and transparency. */
const keptFlags = 0x30

/**
 * A WebP (RFC 9649) with its picture only. Undefined for what is none, is damaged, or moves. What follows its end is
 * left out.
 */
export function readWebp(file: Buffer): Picture | undefined {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WEBP') return undefined
  const chunks = chunksOf(file)?.filter(it => needed.has(it.type))
  const [first] = chunks ?? []
  const pictures = chunks?.filter(it => it.type === 'VP8 ' || it.type === 'VP8L') ?? []
  const [picture] = pictures
  const size = picture && pictures.length === 1 ? sizeOf(picture) : undefined
  if (!chunks || !first || !size) return undefined
  if (first.type === 'VP8X' && !describe(first, size)) return undefined
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks.map(it => it.all)])
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1')
  head.writeUInt32LE(body.length, 4)
  return { bytes: Buffer.concat([head, body]), ...size }
}

interface Chunk {
  type: string
  data: Buffer
  all: Buffer
}

function chunksOf(file: Buffer): Chunk[] | undefined {
  const end = 8 + file.readUInt32LE(4)
  if (end > file.length) return undefined
  const chunks: Chunk[] = []
  let at = 12
  while (at + 8 <= end) {
    const length = file.readUInt32LE(at + 4)
    const next = at + 8 + length + (length % 2)
    if (next > end) return undefined
    const all = Buffer.from(file.subarray(at, next))
    chunks.push({ type: all.toString('latin1', 0, 4), data: all.subarray(8, 8 + length), all })
    at = next
  }
  return chunks
}

interface Size {
  width: number
  height: number
}

/** In the key frame of VP8 (RFC 6386), or in the head of VP8L. */
function sizeOf({ type, data }: Chunk): Size | undefined {
  if (type === 'VP8 ') {
    if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) return undefined
    return sized(data.readUInt16LE(6) & 0x3fff, data.readUInt16LE(8) & 0x3fff)
  }
  if (data.length < 5 || data[0] !== 0x2f) return undefined
  const bits = data.readUInt32LE(1)
  return sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1)
}

const sized = (width: number, height: number) => (width && height ? { width, height } : undefined)

/** Leaves out of VP8X what was left out of the file. False if it moves, or says another size than its picture. */
function describe({ data }: Chunk, { width, height }: Size): boolean {
  if (data.length < 10 || (data[0] ?? 0) & 0x02) return false
  data[0] = (data[0] ?? 0) & keptFlags
  return data.readUIntLE(4, 3) + 1 === width && data.readUIntLE(7, 3) + 1 === height
}
