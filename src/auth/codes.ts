import { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { otherwise } from '../answer.ts'
import { within } from '../database.ts'
import { Gone } from '../errors.ts'
import { read } from '../form.ts'
import { anybody } from '../section.ts'
import { enter, refuse } from './enter.ts'
import { accountOf, mayEnter } from './people.ts'
import { find, issue, use } from './tokens.ts'
import { tryCode } from './typed-code.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

/** How long a code and the link beside it are good, in minutes. */
const good = 10

/**
 * Sign-in by a code of six digits or a link, in one mail. The link opens a page with a button: a mail scanner that
 * visits it uses nothing up. Nobody learns from it which addresses are known.
 */
export function codes(ways: Ways): Router {
  const router = Router()
  const [secret = ''] = ways.secrets

  router.post(
    '/sign-in/code',
    anybody,
    async (req, res) => {
      const { email, next } = read(Asked, req)
      const id = await sendCode(ways, req, email)
      res.redirect(303, req.portal.url(`/sign-in/code/${id}${next ? `?${new URLSearchParams({ next })}` : ''}`))
    },
    otherwise((req, res) => {
      req.portal.frame = 'solo'
      res.answer('auth/code-asked', { next: '' })
    }),
  )

  router.get('/sign-in/code', anybody, (req, res) => {
    req.portal.frame = 'solo'
    res.answer('auth/code-asked', { next: req.query.next ?? '' })
  })

  router.get('/sign-in/code/:request', anybody, showCode)

  router.post(
    '/sign-in/code/:request',
    anybody,
    async (req, res) => {
      const { code, next } = read(Typed, req)
      const workspace = req.portal.workspace.id
      const id = z.uuid().safeParse(req.params.request).data
      const { used, succeeded } = await tryCode(ways, req, { kind: 'sign-in', id, code, secret })
      const account = used && (await within(ways.database, { workspace }, tx => accountOf(tx, workspace, used.email)))
      if (!mayEnter(account))
        return refuse(req, '', 'code', 'This code is wrong, was used, or its time is over.', { next })
      await succeeded()
      const proofs = [{ by: 'code' as const, at: req.portal.now.getTime() }]
      await enter({ database: ways.database, mailed: ways }, req, res, { account, next, proofs })
    },
    otherwise(showCode),
  )

  const showLink: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(ways.database, { workspace }, tx => find(tx, workspace, 'sign-in', req.params.token))
    req.portal.frame = 'solo'
    res.answer('auth/link', { email })
  }

  router.get('/sign-in/link/:token', anybody, showLink)

  router.post('/sign-in/link/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    const account = await within(ways.database, { workspace }, async tx => {
      const { email } = await use(tx, workspace, 'sign-in', String(req.params.token))
      return accountOf(tx, workspace, email)
    })
    if (!mayEnter(account)) throw new Gone()
    const proofs = [{ by: 'link' as const, at: req.portal.now.getTime() }]
    await enter({ database: ways.database, mailed: ways }, req, res, { account, next: undefined, proofs })
  })

  return router
}

/** Mails a code and a link to whoever has an account of this address, and gives the request that the code belongs to. */
export async function sendCode(ways: Ways, req: Request<any>, email: string): Promise<string> {
  const [secret = ''] = ways.secrets
  await ways.limits.count(req, { mail: email })
  const workspace = req.portal.workspace.id
  return mailing(ways, req, async tx => {
    const account = await accountOf(tx, workspace, email)
    const known = mayEnter(account) ? account : undefined
    const person = known?.id
    const { id, token, code } = await issue(tx, {
      workspace,
      kind: 'sign-in',
      person,
      email,
      minutes: good,
      secret,
    })
    await write(ways, req, tx, 'sign-in', known && { ...known, person: known.id }, {
      facts: { minutes: good },
      code,
      url: linkTo(ways, req, `/sign-in/link/${token}`),
    })
    return id
  })
}

const Asked = z.object({
  email: z.string('Type your e-mail address.').trim().toLowerCase().max(320).min(1, 'Type your e-mail address.'),
  next: z.string().optional().catch(undefined),
})

const Typed = z.object({
  code: z
    .string('Type the code from the mail.')
    .transform(it => it.replace(/[\s-]/g, ''))
    .pipe(z.string().regex(/^\d{6}$/, 'Type the six digits from the mail.')),
  next: z.string().optional().catch(undefined),
})

const showCode: RequestHandler<any> = (req, res) => {
  const { problem } = req.portal
  const typed = (problem as { typed?: { next?: string } } | undefined)?.typed
  req.portal.frame = 'solo'
  res.answer('auth/code', { next: typed?.next ?? req.query.next ?? '' })
}
