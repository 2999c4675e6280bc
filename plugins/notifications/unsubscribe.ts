import type { Request, RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import type { MailContext } from '../../src/auth/mail-context.ts'
import { Gone } from '../../src/http/errors.ts'
import { anybody } from '../../src/http/rules.ts'
import { kindsOf, type NamedKind } from '../../src/notifications/kinds.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { seal, unsealOrUndefined } from '../../src/platform/crypto.ts'
import { query, within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import { isForced, keepPreferences, preferencesOf } from './choices.ts'

/** Whose e-mails of which kind an address ends; `summary` for the summary. */
interface Ending {
  person: string
  kind: string
}

const Ending = z.object({ person: z.uuid(), kind: z.string() })

/** An address that ends e-mails of a kind with a POST, without signing in (RFC 8058). It names nobody in the clear. */
export function unsubscribeAddress(
  { address, secrets }: Pick<MailContext, 'address' | 'secrets'>,
  slug: string,
  ending: Ending,
): string {
  const token = seal(JSON.stringify({ ...ending, slug }), secrets, 'unsubscribe').toString('base64url')
  return `${address}/${slug}/unsubscribe/${token}`
}

/** A page that asks, and what its button does. Mail programs send the POST by themselves. */
export function unsubscribeRoutes(router: Router, host: Host) {
  router.get('/:token', anybody, show(host))
  router.post('/:token', anybody, save(host))
}

const show =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { ending, kind } = endingOf(req, host)
    const { workspace } = req.portal
    const forced = await within(host.database, { workspace: workspace.id }, tx =>
      isMailForced(tx, workspace.id, ending, kind),
    )
    const isOn = await isSectionOn(host, workspace.id)
    res.respond('notifications/unsubscribe', { label: labelOf(ending, kind), done: false, forced, isOn })
  }

const save =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { ending, kind } = endingOf(req, host)
    const { workspace } = req.portal
    const forced = await within(host.database, { workspace: workspace.id }, async tx => {
      if (await isMailForced(tx, workspace.id, ending, kind)) return true
      const preferences = (await preferencesOf(tx, workspace.id, [ending.person])).get(ending.person)!
      const known = await query(tx, {
        text: 'select from portal.client_users u where u.workspace_id = $1 and u.id = $2',
        values: [workspace.id, ending.person],
      })
      if (!known.length) return false
      const kinds = kind ? [kind.name] : [...kindsOf(host.plugins).values()].map(it => it.chosenWith ?? it.name)
      const channel = kind ? 'mail' : 'summary'
      const own = { ...preferences.own }
      for (const it of kinds) own[it] = { ...own[it], [channel]: false }
      await keepPreferences(tx, workspace.id, ending.person, { ...preferences, own })
      const subject = { id: ending.person, label: labelOf(ending, kind) }
      await insert(tx, [
        {
          ...bySystem(workspace.id, { event: 'notifications.unsubscribed', subject }),
          actor_kind: 'client',
          actor_id: ending.person,
        },
      ])
      return false
    })
    const isOn = await isSectionOn(host, workspace.id)
    res.respond('notifications/unsubscribe', { label: labelOf(ending, kind), done: !forced, forced, isOn })
  }

/** Whether the workspace has the page on which people choose what they are told. */
const isSectionOn = async ({ database }: Host, workspace: string) =>
  (await storedSettings(database, workspace)).get('notifications') !== false

async function isMailForced(tx: Knex, workspace: string, { person }: Ending, kind: NamedKind | undefined) {
  const preferences = (await preferencesOf(tx, workspace, [person])).get(person)!
  return kind !== undefined && isForced(kind, 'mail', preferences.workspace)
}

const labelOf = ({ kind: name }: Ending, kind: NamedKind | undefined) =>
  kind?.label ?? (name === summaryKind ? 'Summary' : name)

export const summaryKind = 'summary'

/** Throws Gone for an address that is not ours, or of another workspace. */
function endingOf(req: Request<any>, host: Host): { ending: Ending; kind: NamedKind | undefined } {
  const { secrets } = coreHostOf(host)
  const text = unsealOrUndefined(Buffer.from(req.params.token, 'base64url'), secrets, 'unsubscribe')
  const parsed = Ending.extend({ slug: z.string() }).safeParse(jsonOf(text))
  if (!parsed.success || parsed.data.slug !== req.portal.workspace.slug) throw new Gone()
  const kind = kindsOf(host.plugins).get(parsed.data.kind)
  if (!kind && parsed.data.kind !== summaryKind) throw new Gone()
  return { ending: parsed.data, kind }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
