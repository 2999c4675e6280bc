import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflate } from '@sparticuz/chromium'
import { type Browser, type BrowserServer, chromium } from 'playwright-core'

const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]

/**
 * A real Chromium: on Linux the one in node_modules, elsewhere the Chrome that is installed. It is started once in this
 * process; who closes it closes their own pages.
 */
export async function openBrowser(): Promise<Browser> {
  running ??= launch()
  return chromium.connect((await running).wsEndpoint())
}
let running: Promise<BrowserServer> | undefined

async function launch(): Promise<BrowserServer> {
  const server = await launchServer()
  server.once('close', () => {
    running = undefined
  })
  return server
}

async function launchServer(): Promise<BrowserServer> {
  if (process.platform === 'linux' && process.arch === 'x64') return launchBundled()
  return chromium.launchServer({ channel: 'chrome', args: quiet }).catch(error => {
    if (!error.message.includes('is not found')) throw error
    throw new Error('The tests need Google Chrome. Install it from https://www.google.com/chrome/ and run them again.')
  })
}

async function launchBundled(): Promise<BrowserServer> {
  const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'chromium')
  if (!existsSync(folder)) await unpackInto(folder)
  const libraries = join(folder, 'al2023', 'lib') // NSS and Expat, which a bare Linux lacks
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(folder, 'fonts.conf') }
  const args = [...quiet, '--disable-gpu', '--font-render-hinting=none']
  return chromium.launchServer({ executablePath: join(folder, 'chromium'), args, env })
}

/** The folder appears when it is complete, also when two test runs unpack at once. */
async function unpackInto(folder: string) {
  await mkdir(dirname(folder), { recursive: true })
  const unfinished = await mkdtemp(`${folder}-`)
  await unpack(unfinished)
  const fonts = `<fontconfig><dir>${xml(folder)}/fonts</dir><cachedir>${xml(folder)}/font-cache</cachedir></fontconfig>`
  await writeFile(join(unfinished, 'fonts.conf'), fonts)
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }))
}

/** The package unpacks into the temporary folder, where other users' Chromium may already lie; so it gets another one. */
async function unpack(folder: string) {
  const packed = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', 'bin')
  const { TMPDIR } = process.env
  process.env.TMPDIR = folder
  const work = ['chromium.br', 'fonts.tar.br', 'al2023.tar.br'].map(name => inflate(join(packed, name)))
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  await Promise.all(work)
}

const xml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
