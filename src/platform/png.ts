import { crc32, inflateSync } from 'node:zlib'

export interface Picture {
  bytes: Buffer
  width: number
  height: number
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** What is needed to show it; texts, places, times and other frames are left out. */
const needed = new Set(['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'IDAT', 'IEND'])
const most = 2_000

/**
 * A PNG (ISO/IEC 15948) with its picture only. Undefined for what is none, is damaged, or is larger than 2,000 pixels.
 */
export function readPicture(file: Buffer): Picture | undefined {
  const chunks = file.subarray(0, 8).equals(signature) ? chunksOf(file) : undefined
  const [head, ...rest] = chunks?.filter(it => needed.has(it.type)) ?? []
  if (head?.type !== 'IHDR' || head.data.length !== 13 || rest.at(-1)?.type !== 'IEND') return undefined
  const width = head.data.readUInt32BE(0)
  const height = head.data.readUInt32BE(4)
  if (!width || !height || width > most || height > most || !whole(head.data, rest)) return undefined
  return { bytes: Buffer.concat([signature, head.all, ...rest.map(it => it.all)]), width, height }
}

interface Chunk {
  type: string
  data: Buffer
  all: Buffer
}

function chunksOf(file: Buffer): Chunk[] | undefined {
  const chunks: Chunk[] = []
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at)
    const end = at + 12 + length
    if (end > file.length || crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) return undefined
    const type = file.toString('latin1', at + 4, at + 8)
    chunks.push({ type, data: file.subarray(at + 8, end - 4), all: file.subarray(at, end) })
    if (type === 'IEND') return chunks
    at = end
  }
  return undefined
}

const channels: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Whether there are as many points as it says: neither fewer nor, packed into little, far more. */
function whole(head: Buffer, chunks: Chunk[]): boolean {
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
  const [depth, colours, , , interlaced] = head.subarray(8)
  const bits = (channels[colours ?? -1] ?? 0) * (depth ?? 0)
  const size = height * (1 + Math.ceil((width * bits) / 8))
  // Interlaced, each of seven passes has rows of its own.
  const upTo = interlaced ? size * 2 + 1_000 : size
  try {
    const points = inflateSync(Buffer.concat(chunks.filter(it => it.type === 'IDAT').map(it => it.data)), {
      maxOutputLength: Math.max(upTo, 1),
    })
    return bits > 0 && points.length >= (interlaced ? size : upTo)
  } catch {
    return false
  }
}
