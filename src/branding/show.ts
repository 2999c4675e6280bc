import type { RequestHandler } from 'express'
import { NotFound } from '../errors.ts'
import type { Workspaces } from './workspaces.ts'

/** The logo of a workspace, as a picture that can load and run nothing, wherever it is opened. */
export const showLogo =
  (workspaces: Workspaces): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    // Another version's is answered with this one: not all processes learn of a new logo in the same second.
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
      .send(logo.bytes)
  }
