import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type RequestHandler, Router } from 'express'
import { root } from '../platform/root.ts'
import { anybody } from './rules.ts'

const { resolve } = createRequire(import.meta.url)
const own = (name: string) => readFileSync(join(root, 'assets', name), 'utf8')
const htmx = (name: string) =>
  readFileSync(resolve(`htmx.org/dist/${name}`), 'utf8').replace(/\/\/# sourceMappingURL.*/, '')

const sources: Record<string, { type: string; text: string }> = {
  'portico.css': { type: 'text/css', text: own('portico.css') },
  'portico.js': {
    type: 'text/javascript',
    text: [htmx('htmx.min.js'), htmx('ext/hx-csp.min.js'), own('portico.js')].join(';\n'),
  },
  'signing.js': {
    type: 'text/javascript',
    text: [
      readFileSync(resolve('signature_pad'), 'utf8').replace(/\/\/# sourceMappingURL.*/, ''),
      own('signing.js'),
    ].join(';\n'),
  },
  'passkeys.js': { type: 'text/javascript', text: own('passkeys.js') },
  'uploads.js': {
    type: 'text/javascript',
    text: [
      readFileSync(join(dirname(resolve('tus-js-client')), '../../dist/tus.min.js'), 'utf8').replace(
        /\/\/# sourceMappingURL.*/,
        '',
      ),
      own('uploads.js'),
    ].join(';\n'),
  },
  'live.js': { type: 'text/javascript', text: own('live.js') },
  'photo.js': { type: 'text/javascript', text: own('photo.js') },
  'branding.js': { type: 'text/javascript', text: own('branding.js') },
  'mark.svg': { type: 'image/svg+xml', text: own('mark.svg') },
  'icons.svg': { type: 'image/svg+xml', text: own('icons.svg') },
}

/**
 * Serves the files in a plugin's folder `assets`, if there is one: `asset('tickets/board.js')`. Styles, scripts and
 * images only.
 */
export function addAssets(name: string, folder: string) {
  const files = globSync('assets/*.{css,js,svg}', { cwd: folder })
  for (const file of files) {
    const type = types[extname(file)]
    if (type) sources[`${name}/${basename(file)}`] = { type, text: readFileSync(join(folder, file), 'utf8') }
  }
  if (files.length) version = undefined
}

const types: Record<string, string> = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }

/** The version changes with any of the files, so browsers may cache each forever. */
const versionOf = () => {
  version ??= createHash('sha256').update(JSON.stringify(sources)).digest('base64url').slice(0, 12)
  return version
}
let version: string | undefined

export const assetAddress = (name: string) => `/-/assets/${versionOf()}/${name}`

/** Serves style sheet, script and icons, compressed once, and a style sheet for each workspace colour. */
export function assets(): Router {
  const router = Router()
  const packed = new Map<string, Buffer>()

  for (const [name, where] of [
    ['brand', ':root'],
    ['stage', '.stage'],
  ]) {
    router.get(`/:version/${name}-:colour.css`, anybody, (req, res, next) => {
      const { colour } = req.params
      if (!/^[0-9a-f]{6}$/.test(String(colour))) return next('router')
      res.set(forEver).type('css').send(`${where}{--brand-colour:#${colour}}`)
    })
  }

  const send: RequestHandler<any> = (req, res, next) => {
    const { plugin, name: file } = req.params as { plugin?: string; name: string }
    const name = plugin ? `${plugin}/${file}` : file
    const source = Object.hasOwn(sources, name) ? sources[name] : undefined
    if (!source) return next('router')
    const encoding = (req.acceptsEncodings('br', 'gzip') || 'identity') as keyof typeof pack
    const key = `${encoding} ${name}`
    const bytes = packed.get(key) ?? pack[encoding](Buffer.from(source.text))
    packed.set(key, bytes)
    if (encoding !== 'identity') res.set('Content-Encoding', encoding)
    // During a rolling deployment, a page of one version may request a file of the other.
    res
      .set(req.params.version === versionOf() ? forEver : forNow)
      .vary('Accept-Encoding')
      .type(source.type)
      .send(bytes)
  }
  router.get('/:version/:name', anybody, send)
  router.get('/:version/:plugin/:name', anybody, send)

  return Object.assign(router, { at: '/-/assets' })
}

const forNow = { 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' }
const forEver = { 'Cache-Control': 'public, max-age=31536000, immutable', 'X-Content-Type-Options': 'nosniff' }

const pack = {
  br: (it: Buffer) => brotliCompressSync(it),
  gzip: (it: Buffer) => gzipSync(it),
  identity: (it: Buffer) => it,
}
