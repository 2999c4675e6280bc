import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { deviceName } from '../../src/auth/devices.ts'
import { coreHostOf } from '../../src/auth/host.ts'
import { tallies } from '../../src/auth/limits.ts'
import { storedId } from '../../src/auth/sessions.ts'
import { NotFound, RateLimited } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import { languages, speak } from '../../src/platform/i18n.ts'
import { refusalOf } from '../../src/platform/outgoing.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { keysOf } from './keys.ts'
import { sendTest } from './send.ts'

const worker = readFileSync(join(import.meta.dirname, 'assets', 'worker.js'), 'utf8')

/** It may look after the whole portal of a workspace, and nothing beside it (Service Workers, 6.4). */
export const showWorker: RequestHandler = (req, res) => {
  res.set({ 'Service-Worker-Allowed': req.portal.url('/'), 'Cache-Control': 'no-cache' })
  const generic = JSON.stringify({ title: req.portal.workspace.name, sentences: unreadable() })
  res.type('text/javascript').send(`const generic = ${generic}\n${worker}`)
}

/** What it says of a message that it cannot read, by language: it speaks that of the browser. */
const unreadable = () =>
  Object.fromEntries(languages.map(it => [it.slice(0, 2), speak(`${it}|UTC`).t('You have a new notification.')]))

const sentences: Record<string, string> = {
  sent: 'Sent. It should be there in a moment.',
  unreachable: 'This device can’t be reached any more. Turn it on again there.',
}

/** The card in the notification settings. */
export async function cardOf(req: Request<any>, host: Host): Promise<object> {
  const { crm, may, on, t, viewing, workspace } = req.portal
  // Staff who look on have no device here, and change nothing: keys are made when they are needed first.
  if (viewing || !('push' in crm) || !may('push.see') || !on('push')) return { push: undefined }
  const here = sessionOf(req)
  const [devices, { publicKey }] = await Promise.all([crm.push.devices(), keysOf(host, workspace.id)])
  const said = sentences[String(req.query.push)]
  return {
    push: {
      key: publicKey,
      devices: devices.map(it => ({ ...it, here: it.session === here })),
      said: said && t(said),
      installable: host.capability('homeScreen') === true,
    },
  }
}

const sessionOf = ({ portal }: Request<any>) => storedId(portal.sessionRequest.sessionID)

const base64url = (bytes: number) =>
  z
    .string()
    .max(200)
    .refine(it => /^[\w-]+=*$/.test(it) && Buffer.from(it, 'base64url').length === bytes)

/** What `PushSubscription.toJSON` gives (Push API). */
export const NewDevice = z.object({
  endpoint: z
    .string()
    .max(1_000)
    .refine(it => refusalOf(it) === undefined),
  p256dh: base64url(65),
  auth: base64url(16),
  replaces: z.string().max(1_000).optional(),
})

export const saveDevice =
  ({ database }: Host): RequestHandler =>
  async (req, res) => {
    const { replaces, ...typed } = read(NewDevice, req)
    const { push } = req.portal.crm
    const label = deviceName(req.portal, req.get('User-Agent'))
    // A browser that got another address is the same device, and a stranger's is not.
    if (replaces) await push.renew(replaces, sessionOf(req))
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      await push.add(tx, { ...typed, label, session: sessionOf(req) })
      await recordEventIn(tx, req, { event: 'push.added', subject: { label } })
    })
    res.redirect(303, req.portal.url('/notifications/settings'))
  }

export const Renewal = z.object({ endpoint: z.string().max(1_000) })

export const saveRenewal: RequestHandler = async (req, res) => {
  await req.portal.crm.push.renew(read(Renewal, req).endpoint, sessionOf(req))
  res.status(204).end()
}

export const removeDevice =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      const label = await req.portal.crm.push.remove(tx, req.params.id)
      await recordEventIn(tx, req, { event: 'push.removed', subject: { label } })
    })
    res.redirect(303, req.portal.url('/notifications/settings'))
  }

export const Hiding = z.object({ hidden: z.enum(['on', 'off']) })

export const saveHiding: RequestHandler = async (req, res) => {
  await req.portal.crm.push.hide(read(Hiding, req).hidden === 'on')
  res.redirect(303, req.portal.url('/notifications/settings'))
}

/** Tests that one person may send in a minute. */
const mostTests = 5

export const tryDevice =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id } = req.params
    const { crm, customer, t, url } = req.portal
    const branded = await coreHostOf(host).workspaces.find(req.portal.workspace.slug)
    if (!branded || !(await crm.push.devices()).some(it => it.id === id)) throw new NotFound()
    const { count } = await tallies(host.database)('push.test', `${branded.id} ${customer.person.id}`, 60)
    if (count > mostTests) throw new RateLimited(60, 'push.test')
    const result = await sendTest(
      host,
      {
        ...{ workspace: branded, person: customer.person.id, id: `test ${Date.now()}`, tag: 'test' },
        ...{ text: t('This is what a notification looks like.'), about: '', url: url('/notifications') },
      },
      id,
    ).catch(err => {
      host.log.warn({ err }, 'a test notification was not taken by the push service')
      return 'unreachable'
    })
    res.redirect(303, url(`/notifications/settings?push=${result}`))
  }
