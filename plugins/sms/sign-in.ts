import type { Request, RequestHandler, Response, Router } from 'express'
import { z } from 'zod'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { tallies } from '../../src/auth/limits.ts'
import { accountOf, admitted, maySignIn } from '../../src/auth/people.ts'
import { recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { refuseSignIn, signIn } from '../../src/auth/sign-in.ts'
import { issueToken, recipientOf } from '../../src/auth/tokens.ts'
import { verifyTypedCode } from '../../src/auth/typed-code.ts'
import type { Workspace } from '../../src/crm/crm.ts'
import { Invalid, RateLimited } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { anybody } from '../../src/http/rules.ts'
import { seal, unsealOrUndefined } from '../../src/platform/crypto.ts'
import { query, within } from '../../src/platform/database.ts'
import { localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import { optionOf } from '../../src/settings/plugin-options.ts'
import { sendText } from './provider.ts'
import { inLatin } from './text.ts'

/** How long a code is valid, in minutes. */
const validMinutes = 10

/** Texts with a code that may be asked for with one address within a day: each is paid for. */
const mostCodes = 10

/**
 * Signs in by a six-digit code that is texted to a number that its owner has confirmed and allowed for this. Off unless
 * the workspace switches it on: texts are a restricted way (NIST SP 800-63B-4, 3.1.3.3), since numbers can be taken over.
 * Responses do not reveal which addresses have an account or a number, and the same work is done for all of them.
 */
export function signInRoutes(router: Router, host: Host) {
  const offered = onlyWhereOffered(host)
  router.get('/', anybody, offered, showAsk)
  router.post('/', anybody, offered, requestCode(host), showAgainOnError(showAsk))
  router.get('/:request', anybody, offered, showCode)
  router.post('/:request', anybody, offered, signInByCode(host), showAgainOnError(showCode))
}

/** Whether people of this workspace may sign in by a text. */
export async function offersSignIn(host: Host, workspace: string): Promise<boolean> {
  const settings = await storedSettings(host.database, workspace)
  return settings.get('sms') === true && (await optionOf<boolean>(host, workspace, 'sms.codes'))
}

/** The buttons on the pages that ask for an e-mail address and for a mailed code. */
export const buttonOf = async ({ portal }: Request<any>, host: Host) => ({
  texts: await offersSignIn(host, portal.workspace.id),
})

const onlyWhereOffered =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    if (await offersSignIn(host, req.portal.workspace.id)) return next()
    res.redirect(303, req.portal.url('/sign-in'))
  }

const requestCode =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const { request, next, ...asked } = read(Asked, req)
    const email = asked.email || (request && (await recipient(host, req, request)))
    if (!email) throw new Invalid({ email: ['Enter your e-mail address.'] }, { next })
    const id = await textCode(coreHostOf(host), req, email)
    res.redirect(303, req.portal.url(`/text-code/${id}${next ? `?${new URLSearchParams({ next })}` : ''}`))
  }

const Asked = z.object({
  email: z.string().trim().toLowerCase().max(320).optional(),
  request: z.uuid().optional().catch(undefined),
  next: z.string().optional().catch(undefined),
})

/** The address that an earlier code was asked for with, by mail or as a text. */
const recipient = (host: Host, req: Request, request: string) => {
  const workspace = req.portal.workspace.id
  return within(
    host.database,
    { workspace },
    async tx => (await recipientOf(tx, workspace, 'sign-in', request)) ?? recipientOf(tx, workspace, 'text', request),
  )
}

/** Queues a text with a code, if the account of this address has a number for it. Returns the id of the request. */
async function textCode(host: CoreHost, req: Request, email: string): Promise<string> {
  const { database, jobs, limits, secrets } = host
  const { workspace, locale } = req.portal
  await limits.count(req, { mail: `text ${email}` })
  const { count } = await tallies(database)('sms.sign-in', `${workspace.id} ${email}`, 86_400)
  if (count > mostCodes) throw new RateLimited(86_400, 'mail')
  const id = await within(database, { workspace: workspace.id }, async tx => {
    const account = await accountOf(tx, workspace.id, email)
    const person = maySignIn(account) ? account.id : undefined
    const asked = { workspace: workspace.id, kind: 'text' as const, person, email, minutes: validMinutes }
    const token = await issueToken(tx, { ...asked, secret: secrets[0] ?? '' })
    const { t } = speak(`${localeOf(account?.language ?? locale)}|${zoneOf(workspace.timeZone)}`)
    const name = Array.from(workspace.name).slice(0, 40).join('').trim()
    const words = t('{code} is your code to sign in to {workspace}. It expires in 10 minutes. Never share it.', {
      code: token.code,
      workspace: name,
    })
    const text = [inLatin(words), boundTo(host.address, token.code)].filter(Boolean).join('\n\n')
    await jobs.queue(tx, {
      job: 'sms.code',
      workspace,
      data: { id: token.id, person, sealed: seal(text, secrets, 'text message').toString('base64') },
    })
    return token.id
  })
  jobs.wake()
  return id
}

/** The last line, by which phones offer the code on the portal's own pages only (WICG, origin-bound one-time codes). */
const boundTo = (address: string | undefined, code: string) => {
  const host = address && URL.parse(address)?.hostname
  return host && `@${host} #${code}`
}

/** Sends a code. One that the provider does not take in time is not sent any more. */
export const sendCode: Job['work'] = async ({ workspace: { id: workspace, slug }, data }, host) => {
  const { id, person, sealed } = Waiting.parse(data)
  const found = await host.workspace(slug)
  if (!person || !found || !(await offersSignIn(host, workspace)) || !(await isOpen(host, workspace, id)))
    return undefined
  const to = await numberOf(host, found, { id: person })
  const text = unsealOrUndefined(Buffer.from(sealed, 'base64'), coreHostOf(host).secrets, 'text message')
  if (to && text) await sendText(host, { workspace, person }, { id, to, text })
  return undefined
}

const isOpen = async ({ database }: Host, workspace: string, id: string) => {
  const rows = await within(database, { workspace }, tx =>
    query(tx, {
      text: `select from portal.client_tokens k where k.workspace_id = $1 and k.id = $2
               and k.used_at is null and k.expires_at > portal.now()`,
      values: [workspace, id],
    }),
  )
  return rows.length > 0
}

const Waiting = z.object({ id: z.uuid(), person: z.uuid().optional(), sealed: z.string() })

const signInByCode =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { code, next } = read(Typed, req)
    const { database, limits, mailContext, secrets } = coreHostOf(host)
    const workspace = req.portal.workspace.id
    const id = z.uuid().safeParse(req.params.request).data
    const typed = { kind: 'text' as const, id, code, secret: secrets[0] ?? '' }
    const { used, succeeded } = await verifyTypedCode({ database, limits }, req, typed)
    const found = used && (await within(database, { workspace }, tx => accountOf(tx, workspace, used.email)))
    const allowed =
      found !== undefined && found.id === used?.person && (await numberOf(host, req.portal.workspace, found))
    const account = admitted(allowed ? found : undefined)
    if (!account) return refuseSignIn(req, '', 'code', 'This code is wrong or has expired.', { next })
    await succeeded()
    const verifications = [{ by: 'text' as const, at: req.portal.now.getTime() }]
    await signIn({ database, mailContext }, req, res, { account, next, verifications })
  }

/** The number that a person may sign in with now: at one client at least they may get texts. */
async function numberOf(host: Host, workspace: Workspace, { id }: { id: string }): Promise<string | undefined> {
  const { crm, database, plugins } = coreHostOf(host)
  const [found] = await within(database, { workspace: workspace.id }, tx =>
    query<{ number: string; clients: string[] }>(tx, {
      text: `select n.number, array(select m.client_id from portal.client_memberships m
                                    where m.workspace_id = n.workspace_id and m.person_id = n.person_id
                                    order by m.client_id) as clients
             from portal.client_sms_numbers n
             where n.workspace_id = $1 and n.person_id = $2 and n.confirmed_at is not null and n.sign_in`,
      values: [workspace.id, id],
    }),
  )
  if (!found) return undefined
  const section = plugins.find(it => it.name === 'sms')!
  const rights = await rightsOf(database, workspace.id)
  for (const client of found.clients) {
    const { of } = await recipientsAt({ crm, database, sections: plugins }, { workspace, client, rights })
    if (of({ section, may: ['see'], on: [] }).some(it => it.id === id)) return found.number
  }
  return undefined
}

const Typed = z.object({
  code: z
    .string('Enter the code from the text.')
    .transform(it => it.replace(/[\s-]/g, ''))
    .pipe(z.string().regex(/^\d{6}$/, 'Enter the six digits from the text.')),
  next: z.string().optional().catch(undefined),
})

const showAsk: RequestHandler = (req, res) => showBare(req, res, 'sms/ask')

const showCode: RequestHandler<any> = (req, res) => showBare(req, res, 'sms/code', { request: req.params.request })

function showBare(req: Request<any>, res: Response, view: string, more: object = {}) {
  const { problem } = req.portal
  const typed = (problem as { typed?: { next?: string } } | undefined)?.typed
  req.portal.frame = 'bare'
  res.respond(view, { next: typed?.next ?? req.query.next ?? '', ...more })
}
