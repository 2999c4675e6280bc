import { createHash, randomBytes } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { readCookie } from '../http/cookies.ts'
import { NotFound } from '../http/errors.ts'
import { anybody } from '../http/rules.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import type { Speech } from '../platform/i18n.ts'
import type { PlaceOf } from '../platform/places.ts'
import { anyMember } from '../plugin/permissions.ts'
import { newRecoveryLink, recoverAccount } from './account-recovery.ts'
import { type Account, type MailContext, sendMail, withMail } from './mail-context.ts'
import { type SessionData, storedId } from './sessions.ts'
import { findToken, useToken } from './tokens.ts'

interface Parts {
  database: Knex
  mailContext: MailContext | undefined
}

/** The list of a person's sessions, each with a button that ends it (OWASP ASVS 5.0, 7.5.2). */
export function devices({ database, mailContext, placeOf }: Parts & { placeOf: PlaceOf }): Router {
  const router = Router()
  const scope = (req: Request<any>) => ({ workspace: req.portal.workspace.id })

  router.get('/account/devices', anyMember, async (req, res) => {
    const here = storedId(req.portal.sessionRequest.sessionID)
    const all = await devicesOf({ database, placeOf }, req, req.portal.customer.person.id)
    const list = all.map(it => ({ ...it, here: it.sid === here }))
    res.respond('account/devices', {
      devices: list.sort((a, b) => Number(b.here) - Number(a.here)),
      done: String(req.query.done ?? ''),
    })
  })

  const end = async (req: Request<any>, where: '=' | '<>', sid: string) =>
    within(database, scope(req), async tx => {
      const ended = await endDevices(tx, req, req.portal.customer.person.id, { where, sid })
      if (ended) await recordEventIn(tx, req, { event: 'account.ended', subject: { count: ended } })
      return ended
    })

  router.post('/account/devices/others/end', anyMember, async (req, res) => {
    await end(req, '<>', storedId(req.portal.sessionRequest.sessionID))
    res.redirect(303, req.portal.url('/account/devices?done=others'))
  })

  router.post('/account/devices/:device/end', anyMember, async (req, res) => {
    if (!(await end(req, '=', String(req.params.device)))) throw new NotFound()
    res.redirect(303, req.portal.url('/account/devices?done=one'))
  })

  if (mailContext) router.use(notMeRoutes(mailContext))

  return router
}

/** The sessions of a person, the last used first, with their readable names. */
export async function devicesOf(
  { database, placeOf }: Pick<Parts, 'database'> & { placeOf: PlaceOf },
  req: Request<any>,
  person: string,
) {
  const rows = await query<{ sid: string; sess: SessionData }>(database, {
    text: `select s.sid, s.sess from portal.client_sessions s
           where s.workspace_id = $1 and s.person_id::text = $2 and s.expire > portal.now() and s.sid not like 'api.%'
           order by s.sess ->> 'used' desc limit 100`,
    values: [req.portal.workspace.id, person],
  })
  return rows.map(({ sid, sess }) => ({
    ...{ sid, name: deviceName(req.portal, sess.agent), address: sess.address },
    place: placeOf(sess.address, req.portal.locale),
    mobile: /iPhone|iPad|Android/.test(sess.agent ?? ''),
    first: sess.verifications?.[0] && new Date(sess.verifications[0].at),
    last: sess.used ? new Date(sess.used) : undefined,
  }))
}

/** Ends one session of a person, or all but one. Returns how many it were. */
export async function endDevices(
  tx: Knex,
  req: Request<any>,
  person: string,
  { where, sid }: { where: '=' | '<>'; sid: string },
): Promise<number> {
  const ended = await query(tx, {
    text: `delete from portal.client_sessions
           where workspace_id = $1 and person_id::text = $2 and sid ${where} $3 and sid not like 'api.%' returning sid`,
    values: [req.portal.workspace.id, person, sid],
  })
  return ended.length
}

/** The "This wasn’t me" link of mails: signs out every session and requires a new password. */
function notMeRoutes({ database, ...mailContext }: MailContext): Router {
  const router = Router()

  const show: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    await within(database, { workspace }, tx => findToken(tx, workspace, 'device', req.params.token))
    req.portal.frame = 'bare'
    res.respond('auth/not-me', {})
  }

  router.get('/not-me/:token', anybody, show)

  router.post('/not-me/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    await withMail({ database, ...mailContext }, req, async tx => {
      const token = await useToken(tx, workspace, 'device', String(req.params.token))
      const [{ id, name }] = (await query(tx, {
        text: 'select id, name from portal.client_users where workspace_id = $1 and id = $2 for update',
        values: [workspace, token.person],
      })) as [{ id: string; name: string }]
      await recoverAccount(tx, workspace, token)
      await recordEventIn(tx, req, { event: 'account.reported', actor: { kind: 'client', id, name } })
    })
    res.redirect(303, req.portal.url('/forgot-password'))
  })

  return router
}

/**
 * Remembers this device in a random cookie, and mails the person when they sign in from a new one. Their very first
 * device causes no mail.
 */
export async function recordDevice(
  { database, mailContext }: Parts,
  req: Request<any>,
  res: Response,
  account: Account,
) {
  const { workspace, now, url } = req.portal
  const known = readCookie(req, 'portico.device') ?? ''
  const device = /^[\w-]{22}$/.test(known) ? known : randomBytes(16).toString('base64url')
  res.cookie('portico.device', device, {
    ...{ path: url(''), httpOnly: true, sameSite: 'lax', secure: req.secure, maxAge: 365 * 86_400_000 },
  })
  const work = async (tx: Knex) => {
    const [row] = await query<{ fresh: boolean; others: boolean }>(tx, {
      text: `insert into portal.client_devices as d (workspace_id, person_id, hash) values ($1, $2, $3)
             on conflict (workspace_id, person_id, hash) do update set last_seen_at = portal.now()
             returning d.first_seen_at = d.last_seen_at as fresh, exists (
               select from portal.client_devices o where o.workspace_id = $1 and o.person_id = $2 and o.hash <> $3) as others`,
      values: [workspace.id, account.id, createHash('sha256').update(device).digest('base64url')],
    })
    if (!row?.fresh || !row.others) return
    await tellDevice(tx, req, account)
    if (!mailContext) return
    const link = await newRecoveryLink(mailContext, req, tx, account)
    await sendMail(
      mailContext,
      req,
      tx,
      'device',
      { ...account, person: account.id },
      {
        facts: speech => ({
          device: deviceName(speech, req.get('User-Agent')),
          address: req.ip ?? '',
          time: speech.time(now),
        }),
        url: link,
      },
    )
  }
  await (mailContext ? withMail(mailContext, req, work) : within(database, { workspace: workspace.id }, work))
}

/** Stands behind the bell of each of the person's clients, whatever they chose. */
async function tellDevice(tx: Knex, req: Request<any>, account: Account): Promise<void> {
  const { capability, workspace } = req.portal
  const clients = await query<{ client: string }>(tx, {
    text: `select m.client_id as client from portal.client_memberships m where m.workspace_id = $1 and m.person_id = $2`,
    values: [workspace.id, account.id],
  })
  for (const { client } of clients)
    await capability('notifications')?.tell(tx, req, [account], {
      kind: 'notifications.device',
      record: { client, section: 'account', id: 'devices' },
      facts: { device: deviceName(req.portal, req.get('User-Agent')) },
      mail: false,
    })
}

const browsers = {
  Edg: 'Edge',
  OPR: 'Opera',
  SamsungBrowser: 'Samsung Internet',
  DuckDuckGo: 'DuckDuckGo',
  Firefox: 'Firefox',
  FxiOS: 'Firefox',
  CriOS: 'Chrome',
  Chrome: 'Chrome',
  Safari: 'Safari',
}
const systems = {
  iPhone: 'iPhone',
  iPad: 'iPad',
  Android: 'Android',
  Windows: 'Windows',
  'Mac OS': 'macOS',
  CrOS: 'ChromeOS',
  Linux: 'Linux',
}

/** A readable name for the browser's User-Agent header. For people to recognise; never rely on it. */
export function deviceName({ t }: Pick<Speech, 't'>, agent = ''): string {
  const named = (names: Record<string, string>) => Object.entries(names).find(([it]) => agent.includes(it))?.[1]
  const [browser, system] = [named(browsers), named(systems)]
  if (browser && system) return t('{browser} on {system}', { browser, system })
  return browser ?? system ?? t('Unknown device')
}
