import { createHash, randomBytes } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { note } from '../activity.ts'
import { query, within } from '../database.ts'
import { NotFound } from '../errors.ts'
import type { Speech } from '../language.ts'
import { anybody, anyMember } from '../section.ts'
import { disown, disowning } from './disown.ts'
import { type Held, storedId } from './sessions.ts'
import { find, use } from './tokens.ts'
import { type Account, mailing, type Ways, write } from './way.ts'

interface Parts {
  database: Knex
  mailed: Ways | undefined
}

/** Where one is signed in: each of it can be ended (OWASP ASVS 5.0, 7.5.2). */
export function devices({ database, mailed }: Parts): Router {
  const router = Router()
  const scope = (req: Request<any>) => ({ workspace: req.portal.workspace.id })

  router.get('/account/devices', anyMember, async (req, res) => {
    const rows = await query<{ sid: string; sess: Held }>(database, {
      text: `select s.sid, s.sess from portal.client_sessions s
             where s.workspace_id = $1 and s.person_id = $2 and s.expire > portal.now() and s.sid not like 'api.%' order by s.sess ->> 'used' desc limit 100`,
      values: [req.portal.workspace.id, req.portal.customer.person.id],
    })
    const here = storedId(req.portal.aside.sessionID)
    const list = rows.map(({ sid, sess }) => ({
      ...{ sid, here: sid === here, name: deviceName(req.portal, sess.agent), address: sess.address },
      first: sess.proofs?.[0] && new Date(sess.proofs[0].at),
      last: sess.used && new Date(sess.used),
    }))
    res.answer('account/devices', {
      devices: list.sort((a, b) => Number(b.here) - Number(a.here)),
      done: String(req.query.done ?? ''),
    })
  })

  const end = async (req: Request<any>, where: string, sid: string) =>
    within(database, scope(req), async tx => {
      const ended = await query(tx, {
        text: `delete from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid ${where} $3 and sid not like 'api.%' returning sid`,
        values: [req.portal.workspace.id, req.portal.customer.person.id, sid],
      })
      if (ended.length) await note(tx, req, { event: 'account.ended', subject: { count: ended.length } })
      return ended.length
    })

  router.post('/account/devices/others/end', anyMember, async (req, res) => {
    await end(req, '<>', storedId(req.portal.aside.sessionID))
    res.redirect(303, req.portal.url('/account/devices?done=others'))
  })

  router.post('/account/devices/:device/end', anyMember, async (req, res) => {
    if (!(await end(req, '=', String(req.params.device)))) throw new NotFound()
    res.redirect(303, req.portal.url('/account/devices?done=one'))
  })

  if (mailed) router.use(notMe(mailed))

  return router
}

/** The link in that mail, and in others: everybody is signed out, and a new password is needed. */
function notMe({ database, ...ways }: Ways): Router {
  const router = Router()

  const show: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    await within(database, { workspace }, tx => find(tx, workspace, 'device', req.params.token))
    req.portal.frame = 'solo'
    res.answer('auth/not-me', {})
  }

  router.get('/not-me/:token', anybody, show)

  router.post('/not-me/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    await mailing({ database, ...ways }, req, async tx => {
      const token = await use(tx, workspace, 'device', String(req.params.token))
      const [{ id, name }] = (await query(tx, {
        text: 'select id, name from portal.client_users where workspace_id = $1 and id = $2 for update',
        values: [workspace, token.person],
      })) as [{ id: string; name: string }]
      await disown(tx, workspace, token)
      await note(tx, req, { event: 'account.disowned', actor: { kind: 'client', id, name } })
    })
    res.redirect(303, req.portal.url('/forgot-password'))
  })

  return router
}

/**
 * Remembers this device by a random cookie, and mails whoever signs in from one that is new to them. Of somebody's
 * first there is nothing to tell.
 */
export async function meet({ database, mailed }: Parts, req: Request<any>, res: Response, account: Account) {
  const { workspace, now, url } = req.portal
  const known = /(?:^|; )portico\.device=([\w-]{22})(?:;|$)/.exec(req.get('Cookie') ?? '')?.[1]
  const device = known ?? randomBytes(16).toString('base64url')
  res.cookie('portico.device', device, {
    ...{ path: url(''), httpOnly: true, sameSite: 'lax', secure: req.secure, maxAge: 365 * 86_400_000 },
  })
  const work = async (tx: Knex) => {
    const [row] = await query<{ fresh: boolean; others: boolean }>(tx, {
      text: `insert into portal.client_devices as d (workspace_id, person_id, hash) values ($1, $2, $3)
             on conflict (workspace_id, person_id, hash) do update set last_at = portal.now()
             returning d.first_at = d.last_at as fresh, exists (
               select from portal.client_devices o where o.workspace_id = $1 and o.person_id = $2 and o.hash <> $3) as others`,
      values: [workspace.id, account.id, createHash('sha256').update(device).digest('base64url')],
    })
    if (!mailed || !row?.fresh || !row.others) return
    const link = await disowning(mailed, req, tx, account)
    await write(
      mailed,
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
  await (mailed ? mailing(mailed, req, work) : within(database, { workspace: workspace.id }, work))
}

const browsers = {
  Edg: 'Edge',
  OPR: 'Opera',
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

/** As a browser calls itself, which is for people to recognise and for nothing to rely on. */
export function deviceName({ t }: Pick<Speech, 't'>, agent = ''): string {
  const named = (names: Record<string, string>) => Object.entries(names).find(([it]) => agent.includes(it))?.[1]
  const [browser, system] = [named(browsers), named(systems)]
  if (browser && system) return t('{browser} on {system}', { browser, system })
  return browser ?? system ?? t('An unknown device')
}
