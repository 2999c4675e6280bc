import type { RequestHandler } from 'express'
import { colourOf } from './branding.ts'
import { backgroundOf, versionOf } from './icons.ts'

/** What a browser needs to install the portal of a workspace (Web Application Manifest, W3C). Nothing in it is private. */
export const showManifest: RequestHandler = (req, res) => {
  const { workspace, url, locale, direction } = req.portal
  const iconOf = (name: string, sizes: string, purpose: 'any' | 'maskable') => ({
    src: url(`/home-screen/icons/${versionOf(workspace)}/${name}.png`),
    sizes,
    type: 'image/png',
    purpose,
  })
  const manifest = {
    id: url('/'),
    name: workspace.name,
    short_name: shortNameOf(workspace.name),
    start_url: url('/'),
    scope: url('/'),
    display: 'standalone',
    theme_color: colourOf(workspace),
    background_color: backgroundOf(workspace),
    lang: locale,
    dir: direction,
    icons: [
      iconOf('192', '192x192', 'any'),
      iconOf('512', '512x512', 'any'),
      iconOf('maskable-192', '192x192', 'maskable'),
      iconOf('maskable-512', '512x512', 'maskable'),
    ],
  }
  res.set('Cache-Control', 'no-cache').vary('Accept-Language')
  res.type('application/manifest+json').send(JSON.stringify(manifest))
}

/** What fits under an icon: whole words, twelve characters if possible. */
const fitting = 12

function shortNameOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  const lengths = words.map((_, at) => words.slice(0, at + 1).join(' ').length)
  const count = lengths.filter(it => it <= fitting).length
  return words.slice(0, Math.max(count, 1)).join(' ')
}
