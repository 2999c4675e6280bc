// Runs in a process of its own, without secrets: a hostile picture or PDF can slow down or crash nothing else.
import { PDFiumLibrary } from '@hyzyla/pdfium'
import sharp from 'sharp'
import type { PreviewAnswer, PreviewJob } from './previews.ts'

/** The most pixels that are decoded, of a picture or a page. */
const mostPixels = 50_000_000

sharp.cache(false)
sharp.concurrency(1)

process.on('message', async (job: PreviewJob) => {
  const answer = await made(job).catch((error: Error): PreviewAnswer => ({ error: error.message }))
  process.send?.(answer, () => undefined)
})
process.on('disconnect', () => process.exit())

async function made({ type, bytes, sizes, page }: PreviewJob): Promise<PreviewAnswer> {
  const { picture, pages } =
    type === 'application/pdf' ? await rendered(bytes, page) : { picture: decoded(bytes), pages: 1 }
  const made = await Promise.all(
    sizes.map(size =>
      picture.clone().resize(size, size, { fit: 'inside', withoutEnlargement: true }).webp({ quality: 80 }).toBuffer(),
    ),
  )
  return { previews: made, pages }
}

/** Encoded anew, so that nothing of the file but its pixels is left: no place, no author, no script. */
const decoded = (bytes: Uint8Array) =>
  sharp(bytes, { limitInputPixels: mostPixels, failOn: 'error', pages: 1 }).rotate().flatten({ background: '#fff' })

async function rendered(bytes: Uint8Array, number: number) {
  const library = await PDFiumLibrary.init()
  const document = await library.loadDocument(bytes)
  try {
    const page = document.getPage(number - 1)
    const { originalWidth, originalHeight } = page.getOriginalSize()
    const scale = Math.min(2, 1_600 / Math.max(originalWidth, originalHeight, 1))
    const { data, width, height } = await page.render({ scale, render: 'bitmap' })
    const raw = { width, height, channels: 4 as const }
    return {
      picture: sharp(Buffer.from(data), { raw }).flatten({ background: '#fff' }),
      pages: document.getPageCount(),
    }
  } finally {
    document.destroy()
    library.destroy()
  }
}
