import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Router } from 'express'
import { root } from './root.ts'
import { anybody } from './section.ts'

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
  'branding.js': { type: 'text/javascript', text: own('branding.js') },
  'mark.svg': { type: 'image/svg+xml', text: own('mark.svg') },
  'icons.svg': { type: 'image/svg+xml', text: own('icons.svg') },
}

/** Changes with any of them, so that a browser may keep each for ever. */
const version = createHash('sha256').update(JSON.stringify(sources)).digest('base64url').slice(0, 12)

export const assetAddress = (name: string) => `/-/assets/${version}/${name}`

/** Style sheet, script and icons, compressed once; and a style sheet for each colour a workspace may have. */
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

  router.get('/:version/:name', anybody, (req, res, next) => {
    const { name } = req.params as { name: string }
    const source = Object.hasOwn(sources, name) ? sources[name] : undefined
    if (!source) return next('router')
    const encoding = (req.acceptsEncodings('br', 'gzip') || 'identity') as keyof typeof pack
    const key = `${encoding} ${name}`
    const bytes = packed.get(key) ?? pack[encoding](Buffer.from(source.text))
    packed.set(key, bytes)
    if (encoding !== 'identity') res.set('Content-Encoding', encoding)
    // While two versions are being exchanged, a page of one may ask the other.
    res
      .set(req.params.version === version ? forEver : forNow)
      .vary('Accept-Encoding')
      .type(source.type)
      .send(bytes)
  })

  return Object.assign(router, { at: '/-/assets' })
}

const forNow = { 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' }
const forEver = { 'Cache-Control': 'public, max-age=31536000, immutable', 'X-Content-Type-Options': 'nosniff' }

const pack = {
  br: (it: Buffer) => brotliCompressSync(it),
  gzip: (it: Buffer) => gzipSync(it),
  identity: (it: Buffer) => it,
}
