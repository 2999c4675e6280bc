import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import { read } from '../../src/http/forms.ts'
import { kindsOf, type NamedKind, type NotificationGroup, notificationGroups } from '../../src/notifications/kinds.ts'
import { capital, dateIn } from '../../src/platform/i18n.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import type { KindCount, Notification, Seen } from './store.ts'
import { wordsOf } from './words.ts'

const groups = Object.keys(notificationGroups) as [NotificationGroup]

/** Whatever the address says, there is a list to show. */
export const Filter = z.object({
  show: z.enum(['all', 'unread', ...groups]).catch('all'),
  after: z.string().max(300).optional().catch(undefined),
})

const size = 20

/** Kinds of a group, about records of sections that this person may see. */
export function seenBy(
  { crm, may, on }: Pick<RequestContext, 'crm' | 'may' | 'on'>,
  plugins: Section[],
  group?: string,
): Seen {
  const isOpen = ({ name, permissions }: Section) =>
    !(`${name}.see` in permissions) || (name in crm && on(name) && may(`${name}.see`))
  const kinds = [...kindsOf(plugins).values()].filter(it => group === undefined || it.group === group)
  return { kinds: kinds.map(it => it.name), sections: ['account', ...plugins.filter(isOpen).map(it => it.name)] }
}

export const showNotifications =
  (plugins: Section[]): RequestHandler =>
  async (req, res) => {
    const { show, after } = Filter.parse(req.query)
    const { notifications } = req.portal.crm
    const isGroup = show !== 'all' && show !== 'unread'
    const [page, counts] = await Promise.all([
      notifications.list({
        ...seenBy(req.portal, plugins, isGroup ? show : undefined),
        unread: show === 'unread',
        size,
        after,
      }),
      notifications.counts(seenBy(req.portal, plugins)),
    ])
    const kinds = kindsOf(plugins)
    const items = page.items.map(it => shown(it, kinds, req.portal))
    res.respond('notifications/list', {
      ...{ items, days: byDay(items, req.portal) },
      next: page.next,
      ...chipsOf(counts, kinds),
      filter: { show, after },
    })
  }

/** A notification in the reader's words. */
function shown(it: Notification, kinds: Map<string, NamedKind>, context: RequestContext) {
  const kind = kinds.get(it.kind)
  const { text, about } = wordsOf(kind, it, context)
  return {
    ...{ id: it.id, kind: it.kind, text, about, at: it.at, read: it.readAt !== null, count: it.count },
    icon: kind?.icon ?? 'bell',
    section: it.section,
    record: it.record,
  }
}

/** Under headings: today, the last days, and months. */
function byDay<Item extends { at: Date }>(items: Item[], { locale, now, t, zone }: RequestContext) {
  const month = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: zone })
  const today = Date.parse(dateIn(zone, now))
  const labelOf = ({ at }: Item) => {
    const ago = Math.round((today - Date.parse(dateIn(zone, at))) / 86_400_000)
    if (ago <= 0) return t('Today')
    return ago < 7 ? t('In the last seven days') : capital(month.format(at), locale)
  }
  return [...Map.groupBy(items, labelOf)].map(([label, its]) => ({ label, items: its }))
}

/** How many there are of each group that has any. */
function chipsOf(counts: KindCount[], kinds: Map<string, NamedKind>) {
  const sum = (of: (it: KindCount) => number, its = counts) => its.reduce((all, it) => all + of(it), 0)
  const byGroup = groups.map(group => ({
    ...{ group, label: notificationGroups[group] },
    count: sum(
      it => it.all,
      counts.filter(it => kinds.get(it.kind)?.group === group),
    ),
  }))
  return { total: sum(it => it.all), unread: sum(it => it.unread), groups: byGroup.filter(it => it.count > 0) }
}

/** Leads to what a notification is about, which is read from then on. Staff who view the portal read nothing. */
export const openNotification: RequestHandler<any> = async (req, res) => {
  const { crm, url, viewing } = req.portal
  const { id, section, record, rest } = await crm.notifications.find(req.params.id)
  if (!viewing && req.method === 'GET') await crm.notifications.read({ id })
  const page = record === '' ? `/${section}` : `/${section}/${encodeURIComponent(record)}`
  res.redirect(303, url(page + rest))
}

const ReadForm = z.object({ show: z.string().optional() })

/** Marks all that this person may see as read. */
export const saveRead =
  (plugins: Section[]): RequestHandler =>
  async (req, res) => {
    read(ReadForm, req)
    await req.portal.crm.notifications.read(seenBy(req.portal, plugins))
    res.redirect(303, req.portal.url('/notifications'))
  }

/** Milliseconds after an answer: no page waits for this. */
const pause = 300

/** Marks what is about a record as read after its page was shown to a person: never to staff who look on. */
export async function readOnPage(req: Request<any>, { log }: Host): Promise<object> {
  const { crm, guest, viewing, staff } = req.portal
  const [section] = req.baseUrl.split('/').slice(-1)
  const { id } = req.params
  if (!section || !id || req.method !== 'GET' || guest || viewing || staff || !('notifications' in crm)) return {}
  const mark = () =>
    crm.notifications
      .readRecord(section, id)
      .catch(err => log.warn({ err }, 'notifications could not be marked as read'))
  req.res?.once('finish', () => setTimeout(mark, pause).unref())
  return {}
}
