import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { photoFrom, photoLimits } from './photo.ts'

/** Pictures of one point, as programs write them. */
const jpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgy' +
    'PC4zNDL/wAALCAABAAEBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG' +
    'E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJ' +
    'ipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APvy/9k=',
  'base64',
)
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const webp = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64')
const lossless = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64')

const segment = (marker: number, data: Buffer) => {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([head, data])
}
const within = (...segments: Buffer[]) => Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])

/** Camera data with a place, and how the picture is turned. */
const exif = (turned: number) => {
  const entry = Buffer.from([0x12, 0x01, 3, 0, 1, 0, 0, 0, turned, 0, 0, 0])
  const tiff = Buffer.concat([Buffer.from('II*\0\b\0\0\0\x01\0', 'latin1'), entry, Buffer.alloc(4)])
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff, Buffer.from('52.3676 N, 4.9041 E')]))
}
const chunk = (type: string, data: Buffer) => {
  const head = Buffer.alloc(8)
  head.write(type)
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}
const riff = (...chunks: Buffer[]) => {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  const head = Buffer.from('RIFF\0\0\0\0')
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}
const vp8x = (flags: number, width = 1) => chunk('VP8X', Buffer.from([flags, 0, 0, 0, width - 1, 0, 0, 0, 0, 0]))
const typed = (it: Buffer) => photoFrom(it)?.type

describe('a photo', () => {
  it('is a JPEG, a PNG or a WebP, by its content', () => {
    expect([jpeg, png, webp, lossless].map(typed)).to.deep.equal([
      'image/jpeg',
      'image/png',
      'image/webp',
      'image/webp',
    ])
    for (const it of [jpeg, png, webp, lossless]) expect(photoFrom(it)!.bytes).to.deep.equal(it)
    expect(photoFrom(jpeg)!.version).to.match(/^[\w-]{16}$/)
  })

  it('is no drawing, page, script, or anything else', () => {
    for (const text of [
      '',
      'GIF89a',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      '<!doctype html>',
      '%PDF-1.7',
      '\xff',
    ])
      expect(photoFrom(Buffer.from(text, 'latin1')), text).to.equal(undefined)
    expect(photoFrom(Buffer.alloc(50_000))).to.equal(undefined)
  })

  it('has lost place, texts and camera, and stays turned as it was', () => {
    const found = photoFrom(
      within(exif(6), segment(0xe1, Buffer.from('http://ns.adobe.com/xap')), segment(0xfe, Buffer.from('remark'))),
    )!
    expect(found.bytes.toString('latin1')).to.not.match(/52\.3|adobe|remark/)
    expect(found.bytes.subarray(2, 38)).to.deep.equal(
      Buffer.from('ffe100224578696600004d4d002a00000008000101120003000000010006000000000000', 'hex'),
    )
    expect(found.bytes.length).to.equal(jpeg.length + 36)
    expect(photoFrom(within(exif(1)))!.bytes).to.deep.equal(jpeg)
    expect(photoFrom(within(exif(200)))!.bytes).to.deep.equal(jpeg)
    expect(
      photoFrom(within(segment(0xe1, Buffer.from('Exif\0\0MM\0*\xff\xff\xff\xff', 'latin1'))))!.bytes,
    ).to.deep.equal(jpeg)
    const profile = segment(0xe2, Buffer.from('ICC_PROFILE\0\x01\x01 colours'))
    expect(photoFrom(within(profile))!.bytes).to.deep.equal(within(profile))
    const placed = riff(
      vp8x(0x0c),
      webp.subarray(12),
      chunk('EXIF', Buffer.from('52.3')),
      chunk('XMP ', Buffer.from('x')),
    )
    expect(photoFrom(placed)!.bytes).to.deep.equal(riff(vp8x(0), webp.subarray(12)))
    const texts = Buffer.from('tEXtComment\0at home')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(texts.length - 4)
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(texts))
    expect(photoFrom(Buffer.concat([png.subarray(0, 33), length, texts, sum, png.subarray(33)]))!.bytes).to.deep.equal(
      png,
    )
  })

  it('ends where its picture ends: nothing is hidden behind it', () => {
    const behind = Buffer.from('<script>alert(1)</script>PK\x03\x04')
    for (const it of [jpeg, png, webp, lossless])
      expect(photoFrom(Buffer.concat([it, behind]))!.bytes).to.deep.equal(it)
  })

  it('is whole, of at most a megabyte and 2,000 pixels each way, and does not move', () => {
    for (const whole of [jpeg, png, webp])
      for (const cut of [3, 12, 20, 30, whole.length - 2])
        expect(photoFrom(whole.subarray(0, cut)), `${cut}`).to.equal(undefined)
    const wide = Buffer.from(jpeg)
    const frame = wide.indexOf(Buffer.from([0xff, 0xc0]))
    for (const [width, fits] of [
      [2_000, true],
      [2_001, false],
      [0, false],
    ] as const) {
      wide.writeUInt16BE(width, frame + 7)
      expect(photoFrom(wide) !== undefined, `${width}`).to.equal(fits)
    }
    expect(photoFrom(within(...Array(20).fill(segment(0xe3, Buffer.alloc(60_000)))))).to.equal(undefined)
    expect(photoLimits.bytes).to.equal(1_000_000)
    expect(photoFrom(riff(vp8x(0x02), webp.subarray(12)))).to.equal(undefined)
    expect(photoFrom(riff(vp8x(0, 9), webp.subarray(12)))).to.equal(undefined)
    expect(photoFrom(riff(webp.subarray(12), webp.subarray(12)))).to.equal(undefined)
  })

  it('never throws, whatever bytes come', () => {
    for (const whole of [jpeg, png, webp, lossless, within(exif(6)), riff(vp8x(0x0c), webp.subarray(12))])
      for (let at = 0; at < whole.length; at++)
        for (const value of [0, 0xff, (whole[at] ?? 0) ^ 0x40]) {
          const changed = Buffer.from(whole)
          changed[at] = value
          expect(() => photoFrom(changed)).to.not.throw()
        }
  })
})
