import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'
import { fontFor } from '../../src/pdf/fonts.ts'
import { inkOn } from '../../src/platform/contrast.ts'
import { root } from '../../src/platform/root.ts'
import { type Branding, colourOf, initialOf } from './branding.ts'
import { draw, type IconJob, type Icons } from './draw.ts'

/** Counts how icons are drawn: with each change all addresses are others. */
const drawing = 1

/** Changes with all that the icons of a workspace show. */
export function versionOf(workspace: BrandedWorkspace): string {
  const shown = workspace.logo?.version ?? [initialOf(workspace), colourOf(workspace)]
  return createHash('sha256')
    .update(JSON.stringify([drawing, shown]))
    .digest('base64url')
    .slice(0, 16)
}

/** What is behind the icon. Phones show the same while the app starts. */
export const backgroundOf = (workspace: BrandedWorkspace): string => (workspace.logo ? '#ffffff' : colourOf(workspace))

/** Any version is answered with the current icons: processes do not all learn of a new logo in the same second. */
export const showIcon: RequestHandler<any> = async (req, res) => {
  const { workspace, logo } = req.portal
  const { version, name } = req.params
  const current = versionOf(workspace)
  const icons = await iconsOf(workspace, current, logo)
  if (!icons.has(name)) throw new NotFound()
  res
    .set({
      'Cache-Control': version === current ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Content-Disposition': 'inline; filename="icon.png"',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('image/png')
    .send(icons.get(name))
}

const drawn = new Map<string, Promise<Icons>>()

function iconsOf(workspace: BrandedWorkspace, version: string, logo: () => Promise<Picture | undefined>) {
  const key = `${workspace.id} ${version}`
  const known = drawn.get(key)
  if (known) return known
  if (drawn.size > 200) drawn.clear()
  const made = make(workspace, logo)
  drawn.set(key, made)
  made.catch(() => drawn.delete(key))
  return made
}

interface Picture {
  bytes: Uint8Array
}

/** A logo that cannot be drawn leaves the initial. */
async function make(workspace: BrandedWorkspace, logo: () => Promise<Picture | undefined>): Promise<Icons> {
  const picture = workspace.logo && (await logo())
  const withLogo = picture && draw({ picture: picture.bytes, background: backgroundOf(workspace) })
  return (await withLogo?.catch(() => undefined)) ?? draw(initialIcon(workspace))
}

/** The job that draws it. */
export function initialIcon(workspace: Branding): IconJob {
  const background = colourOf(workspace)
  const ink = inkOn(background)
  const text = initialOf(workspace)
  const font = text && fontFor(text)
  return font ? { letter: { text, ink, ...font }, background } : { picture: mark(ink), background }
}

/** Portico's own, for a name in letters that no installed font has. */
const mark = (ink: string) =>
  Buffer.from(readFileSync(join(root, 'assets', 'mark.svg'), 'utf8').replaceAll('#0c5a63', ink))
