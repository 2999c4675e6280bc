import { type Request, type RequestHandler, Router } from 'express'
import { within } from '../database.ts'
import { TooOften } from '../errors.ts'
import { anybody } from '../section.ts'
import { accountOf, mayEnter } from './people.ts'
import { find, issue, use } from './tokens.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

/** How long a link is good, in minutes: for as long as most locks last, and a little more. */
const good = 60

/**
 * An account that was tried too often is locked for new sign-ins, and no session of it ends (OWASP ASVS 5.0, 6.3.1).
 * Its owner gets a link that forgets the tries, at most once an hour; an address that nobody has is answered alike.
 */
export function unlock(ways: Ways): Router {
  const router = Router()

  const show: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(ways.database, { workspace }, tx => find(tx, workspace, 'unlock', req.params.token))
    req.portal.frame = 'solo'
    res.answer('auth/unlock', { email })
  }

  router.get('/unlock/:token', anybody, show)

  router.post('/unlock/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(ways.database, { workspace }, tx =>
      use(tx, workspace, 'unlock', String(req.params.token)),
    )
    await ways.limits.forget(req, email)
    res.redirect(303, req.portal.url('/sign-in?unlocked'))
  })

  return router
}

/** Passes on what counting gave; where that was the account's lock, its owner is mailed, and everybody is told so. */
export async function unlocking<T>(ways: Ways, req: Request<any>, email: string, counted: Promise<T>): Promise<T> {
  try {
    return await counted
  } catch (error) {
    if (error instanceof TooOften && error.limit === 'account' && error.seconds > 60) {
      if (await ways.limits.once(req, email)) await mail(ways, req, email)
      error.mailed = true
    }
    throw error
  }
}

const mail = (ways: Ways, req: Request<any>, email: string) =>
  mailing(ways, req, async tx => {
    const { workspace } = req.portal
    const account = await accountOf(tx, workspace.id, email)
    const known = mayEnter(account) ? account : undefined
    const [secret = ''] = ways.secrets
    const { token } = await issue(tx, {
      ...{ workspace: workspace.id, kind: 'unlock', person: known?.id, email, minutes: good, secret },
    })
    await write(ways, req, tx, 'unlock', known && { ...known, person: known.id }, {
      url: linkTo(ways, req, `/unlock/${token}`),
    })
  })
