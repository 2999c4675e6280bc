import type { Picture } from './png.ts'

/**
 * A JPEG (ITU-T T.81) with its picture only: of the application segments, the colour profile and Adobe's colour
 * transform stay, and of the camera's data how the picture is turned. What follows its end is left out. Undefined for
 * what is none, or is damaged.
 */
export function readJpeg(file: Buffer): Picture | undefined {
  if (file.length < 4 || file.readUInt16BE(0) !== 0xffd8) return undefined
  const kept: Buffer[] = [file.subarray(0, 2)]
  let size: { width: number; height: number } | undefined
  for (let at = 2; at + 2 <= file.length; ) {
    const marker = file[at + 1] ?? 0
    if (file[at] !== 0xff) return undefined
    if (marker === 0xd9) return size && { bytes: Buffer.concat([...kept, file.subarray(at, at + 2)]), ...size }
    const segment = segmentAt(file, at)
    if (!segment) return undefined
    if (isFrame(marker)) size = sizeOf(segment)
    if (!size && (isFrame(marker) || marker === startOfScan)) return undefined
    kept.push(needed(marker, segment))
    at += segment.length
    const end = marker === startOfScan ? endOfScan(file, at) : at
    if (end < 0) return undefined
    kept.push(file.subarray(at, end))
    at = end
  }
  return undefined
}

const startOfScan = 0xda

function segmentAt(file: Buffer, at: number): Buffer | undefined {
  const length = at + 4 <= file.length && isSegment(file[at + 1] ?? 0) ? file.readUInt16BE(at + 2) : 0
  return length >= 2 && at + 2 + length <= file.length ? file.subarray(at, at + 2 + length) : undefined
}

/** Everything but markers that stand alone. */
const isSegment = (marker: number) => marker >= 0xc0 && marker !== 0xff && !(marker >= 0xd0 && marker <= 0xd9)

/** Start of frame, which has the size. C4, C8 and CC are tables. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

function sizeOf(segment: Buffer) {
  if (segment.length < 10) return undefined
  const [height, width] = [segment.readUInt16BE(5), segment.readUInt16BE(7)]
  return width && height ? { width, height } : undefined
}

const none = Buffer.alloc(0)

function needed(marker: number, segment: Buffer): Buffer {
  if (marker === 0xfe) return none
  if (marker < 0xe1 || marker > 0xef) return segment
  const named = (name: string) => segment.toString('latin1', 4, 4 + name.length) === name
  if (marker === 0xe2 && named('ICC_PROFILE\0')) return segment
  if (marker === 0xee && named('Adobe')) return segment
  return marker === 0xe1 && named('Exif\0\0') ? orientationOnly(segment.subarray(10)) : none
}

/** Where the compressed points end: at the next marker that neither stands for a byte nor restarts. -1 without one. */
function endOfScan(file: Buffer, start: number): number {
  for (let at = file.indexOf(0xff, start); at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1] ?? 0
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at
  }
  return -1
}

const orientationTag = 0x0112

/** A segment that says of the camera's data (TIFF 6.0) only how the picture is turned. Empty if it is upright. */
function orientationOnly(tiff: Buffer): Buffer {
  const turned = orientationIn(tiff)
  if (!turned) return none
  const segment = Buffer.from(
    'ffe1 0022 457869660000 4d4d002a00000008 0001 0112 0003 00000001 0000 0000 00000000'.replaceAll(' ', ''),
    'hex',
  )
  segment.writeUInt16BE(turned, 28)
  return segment
}

/** 2 to 8; undefined for an upright picture, and for data that is damaged. */
function orientationIn(tiff: Buffer): number | undefined {
  const little = tiff.toString('latin1', 0, 2) === 'II'
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  try {
    const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
    const count = Math.min(short(directory), 200)
    for (let entry = 0; entry < count; entry++) {
      const at = directory + 2 + entry * 12
      const value = short(at + 8)
      if (short(at) === orientationTag) return value >= 2 && value <= 8 ? value : undefined
    }
  } catch {
    return undefined
  }
  return undefined
}
