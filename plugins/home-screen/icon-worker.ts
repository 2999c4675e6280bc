// Runs in a process of its own, without secrets, and ends with its answer.
import sharp, { type Sharp } from 'sharp'
import type { IconAnswer, IconJob, Letter } from './draw.ts'

/** In pixels. Of a maskable icon, only a circle of 80 % is sure to be seen (Web Application Manifest, 3.5). */
const kinds = [
  { name: '180', size: 180, maskable: false },
  { name: '192', size: 192, maskable: false },
  { name: '512', size: 512, maskable: false },
  { name: 'maskable-192', size: 192, maskable: true },
  { name: 'maskable-512', size: 512, maskable: true },
]

sharp.cache(false)
sharp.concurrency(1)

process.once('message', async (job: IconJob) => {
  const answer = await drawn(job).catch((error: Error): IconAnswer => ({ error: error.message }))
  process.send?.(answer, () => process.exit())
})

async function drawn(job: IconJob): Promise<IconAnswer> {
  const icons: [string, Uint8Array][] = []
  for (const { name, size, maskable } of kinds) {
    const top = 'letter' in job ? letter(job.letter, size) : await picture(job.picture, { size, maskable })
    const ground = sharp({ create: { width: size, height: size, channels: 4, background: job.background } })
    const icon = ground.composite([{ input: await top.png().toBuffer() }]).flatten({ background: job.background })
    icons.push([name, await icon.png({ palette: true, effort: 10 }).toBuffer()])
  }
  return { icons }
}

/** Encoded anew, so that nothing of the file but its pixels is left. */
async function picture(bytes: Uint8Array, { size, maskable }: { size: number; maskable: boolean }): Promise<Sharp> {
  const open = () => sharp(bytes, { limitInputPixels: 5_000_000, failOn: 'error', pages: 1 })
  const { width, height } = await open().metadata()
  const diagonal = Math.hypot(width, height)
  const across = (side: number) => Math.max(1, Math.floor((size * 0.78 * side) / diagonal))
  const most = Math.floor(size * 0.8)
  const box = maskable ? { width: across(width), height: across(height) } : { width: most, height: most }
  return open().resize({ ...box, fit: 'inside' })
}

function letter({ text, ink, family, file }: Letter, size: number): Sharp {
  const markup = `<span foreground="${ink}">${text}</span>`
  const most = { width: Math.floor(size * 0.54), height: Math.floor(size * 0.46) }
  return sharp({ text: { text: markup, font: family, fontfile: file, rgba: true, ...most } })
}
