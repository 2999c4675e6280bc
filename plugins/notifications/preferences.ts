import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import { Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { kindsOf, type NamedKind, notificationGroups } from '../../src/notifications/kinds.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import {
  forgetPreferences,
  isChosen,
  isDefault,
  isForced,
  keepPreferences,
  ownChannels,
  type Preferences,
  preferencesOf,
} from './choices.ts'
import { seenBy } from './pages.ts'
import { Quiet, Summary } from './schedule.ts'

/** A column of the table: one of the portal's own channels, or one of a plugin. */
export interface Column {
  name: string
  label: string
  hint: string
}

/** The columns, in their order. Without e-mail there are none for it. */
export function columnsOf(plugins: Section[], mails: boolean): Column[] {
  const own = [
    { name: 'here', label: 'Here', hint: 'bell and page' },
    { name: 'mail', label: 'Mail', hint: 'right away' },
    { name: 'summary', label: 'Summary', hint: 'by e-mail' },
  ].filter(it => mails || it.name === 'here')
  return [
    ...own,
    ...plugins.flatMap(({ name, channel }) => (channel ? [{ name, label: channel.label, hint: channel.hint }] : [])),
  ]
}

/** Plugins without the channels that this person cannot get. */
const offered = (plugins: Section[], { crm, may, on }: Pick<RequestContext, 'crm' | 'may' | 'on'>) =>
  plugins.filter(({ name, channel }) => !channel || (name in crm && on(name) && may(`${name}.see`)))

/** Kinds that have a line of their own, under their headings. */
export function linesOf(plugins: Section[], isShown: (kind: NamedKind) => boolean) {
  const kinds = [...kindsOf(plugins).values()].filter(it => !it.chosenWith && isShown(it))
  return Object.entries(notificationGroups)
    .map(([group, label]) => ({ label, kinds: kinds.filter(it => it.group === group) }))
    .filter(it => it.kinds.length > 0)
}

export const showPreferences =
  (host: Host, mails: boolean): RequestHandler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    const preferences = await within(host.database, { workspace: workspace.id }, async tx => {
      const all = await preferencesOf(tx, workspace.id, [customer.person.id])
      return all.get(customer.person.id)!
    })
    const { sections } = seenBy(req.portal, host.plugins)
    const columns = columnsOf(offered(host.plugins, req.portal), mails)
    const { problem } = req.portal
    // A form of another plugin on this page may have been refused.
    const isOwn = problem instanceof Invalid && 'shown' in Object(problem.typed)
    const chosen = isOwn ? new Set([Object(problem.typed).on].flat().map(String)) : undefined
    const isOffered = await offeredTo(req, host)
    const groups = linesOf(host.plugins, it => sections.includes(it.section) && isOffered(it)).map(
      ({ label, kinds }) => ({
        label,
        kinds: kinds.map(kind => ({
          ...{ name: kind.name, label: kind.label },
          cells: columns.map(column => cellOf(kind, column, preferences, chosen)),
        })),
      }),
    )
    const filled = await req.portal.fillSlots(req, 'notification-settings', 'notification-settings-end')
    res.respond('notifications/preferences', {
      ...filled,
      ...{ columns, groups, mails, saved: req.query.saved === '' },
      ...{ quiet: preferences.quiet, summary: preferences.summary },
    })
  }

/** Whether a kind has a line for this person. */
async function offeredTo(req: Request<any>, host: Host): Promise<(kind: NamedKind) => boolean> {
  const limited = host.plugins.filter(it => it.notificationsFor)
  const offered = await Promise.all(limited.map(it => it.notificationsFor?.(req, host)))
  const names = new Set(offered.flatMap(it => it ?? []))
  return ({ name, section }) => !limited.some(it => it.name === section) || names.has(name)
}

function cellOf(kind: NamedKind, { name }: Column, preferences: Preferences, typed: Set<string> | undefined) {
  const value = `${kind.name}:${name}`
  const forced = isForced(kind, name, preferences.workspace)
  return { value, forced, on: typed ? forced || typed.has(value) : isChosen(kind, name, preferences) }
}

const many = z
  .union([z.string().transform(it => [it]), z.array(z.string())])
  .default([])
  .refine(it => it.length <= 2_000)

export const PreferencesForm = z.object({
  on: many,
  /** The lines that the page showed: others stay as they were. */
  shown: many,
  reset: z.string().optional(),
  quiet: z.enum(['on']).optional().catch(undefined),
  from: z.string().optional(),
  until: z.string().optional(),
  weekend: z.string().optional(),
  hour: z.string().optional(),
  weekday: z.string().optional(),
})

export const savePreferences =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const form = read(PreferencesForm, req)
    const { workspace, customer } = req.portal
    const { id } = customer.person
    const schedule = form.reset === undefined ? scheduleIn(form, req.portal.body) : undefined
    await within(host.database, { workspace: workspace.id }, async tx => {
      if (schedule)
        await keep(tx, offered(host.plugins, req.portal), { workspace: workspace.id, person: id }, form, schedule)
      else await forgetPreferences(tx, workspace.id, id)
      await recordEventIn(tx, req, { event: 'notifications.changed' })
    })
    res.redirect(303, req.portal.url('/notifications/settings?saved'))
  }

type Typed = z.infer<typeof PreferencesForm>
type Schedule = Pick<Preferences, 'quiet' | 'summary'>

function scheduleIn({ quiet, from, until, weekend, hour, weekday }: Typed, body: unknown): Schedule {
  const hours = Quiet.safeParse({ from, until, weekend: weekend === 'on' })
  const summary = Summary.safeParse({ hour, weekday: weekday || null })
  const sentence = ['Choose a full hour from the list.']
  if (quiet && !hours.success) throw new Invalid({ from: sentence }, body as object)
  if (hour !== undefined && !summary.success) throw new Invalid({ hour: sentence }, body as object)
  return { quiet: quiet && hours.success ? hours.data : null, summary: Summary.parse(summary.data ?? {}) }
}

/** Only what differs from the workspace's own choice is kept, so that a later change of that counts. */
async function keep(
  tx: Knex,
  plugins: Section[],
  { workspace, person }: { workspace: string; person: string },
  { on, shown }: Typed,
  schedule: Schedule,
) {
  const before = (await preferencesOf(tx, workspace, [person])).get(person)!
  const channels = [...ownChannels, ...plugins.filter(it => it.channel).map(it => it.name)]
  const own = { ...before.own }
  for (const kind of kindsOf(plugins).values()) {
    if (!shown.includes(kind.name)) continue
    const differing = channels.flatMap(channel => {
      const chosen = on.includes(`${kind.name}:${channel}`)
      const usual = isDefault(kind, channel, before.workspace)
      return chosen === usual || isForced(kind, channel, before.workspace) ? [] : [[channel, chosen] as const]
    })
    const others = Object.entries(own[kind.name] ?? {}).filter(([channel]) => !channels.includes(channel))
    own[kind.name] = Object.fromEntries([...others, ...differing])
  }
  await keepPreferences(tx, workspace, person, { ...schedule, own })
}
