import type { RequestHandler } from 'express'
import type { Workspaces } from '../crm/workspaces.ts'
import { NotFound } from '../http/errors.ts'
import { onDark } from '../platform/dark-logo.ts'

/** Shows a workspace's logo, as an image that can neither load nor run anything; below `/dark` for dark paper. */
export const showLogo =
  (workspaces: Workspaces): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { paper } = req.params
    if (paper !== undefined && paper !== 'dark') throw new NotFound()
    // Any version is answered with the current logo: processes do not all learn of a new logo in the same second.
    const logo = /^[\w-]{16}$/.test(req.params.version) ? await workspaces.logo(workspace) : undefined
    if (!logo) throw new NotFound()
    const current = req.params.version === workspace.logo?.version
    res
      .set({
        'Cache-Control': current ? 'public, max-age=31536000, immutable' : 'no-cache',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        'Content-Disposition': 'inline; filename="logo"',
        'X-Content-Type-Options': 'nosniff',
      })
      .type(logo.type)
      .send(paper && logo.type === 'image/svg+xml' ? onDark(logo.bytes.toString()) : logo.bytes)
  }
