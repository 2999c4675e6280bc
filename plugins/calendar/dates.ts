import type { RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import type { Ports } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import type { Page } from '../../src/http/paging.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import type { Subject } from '../../src/plugin/subjects.ts'

/** Something that this person has to do, pay or answer by a day. */
export interface CalendarDate {
  section: string
  id: string
  /** A plain date. */
  day: string
  text: string
}

/** So many of one kind and client are shown at most, the first due first; offers are each asked for by itself. */
const most = { due: 500, payable: 500, expiring: 50 }

interface Reader {
  person: RecipientOf
  ports: Partial<Ports>
  of: Awaited<ReturnType<typeof recipientsAt>>['of']
  t: Speech['t']
}

/** Returns the dates of one client that this person may see in the portal. */
export async function datesOf(plugins: Section[], reader: Reader): Promise<CalendarDate[]> {
  const all = await Promise.all(plugins.flatMap(it => (it.subject ? datesIn(it, it.subject, reader) : [])))
  return all.flat()
}

function datesIn(section: Section, subject: Subject, { person, ports, of, t }: Reader): Promise<CalendarDate[]>[] {
  const { due, payable, expiring } = subject
  const { name } = section
  if (!(name in ports)) return []
  const may = (needed: readonly string[], on: readonly string[] = []) =>
    of({ section, may: ['see', ...needed], on }).some(it => it.id === person.id)
  const label = t(subject.label)
  const found: Promise<CalendarDate[]>[] = []
  if (due && may(due.may, due.on))
    found.push(
      firstOf(asked => due.list(ports, asked), most.due).then(its =>
        its.map(it => ({ section: name, id: it.id, day: it.dueOn, text: it.title })),
      ),
    )
  if (payable && !payable.downPayments && may(payable.may))
    found.push(
      firstOf(asked => payable.list(ports, asked), most.payable).then(its =>
        its.flatMap(({ id, number, dueOn }) =>
          dueOn ? [{ section: name, id, day: dueOn, text: t('{label} {number} is due', { label, number }) }] : [],
        ),
      ),
    )
  if (expiring && may(expiring.may, expiring.on) && expiring.answerable(ports))
    found.push(
      firstOf(asked => expiring.list(ports, asked), most.expiring).then(async its => {
        // One after the other: programs that read calendars can wait, and people need the connections.
        const waiting = []
        for (const it of its) if (it.validUntil) waiting.push(await expiring.find(ports, it.id).catch(gone))
        return waiting.flatMap(it =>
          it?.validUntil
            ? [
                {
                  section: name,
                  id: it.id,
                  day: it.validUntil,
                  text: t('Answer {number}: {title}', { number: it.number, title: it.title }),
                },
              ]
            : [],
        )
      }),
    )
  return found
}

/** The first ones of a list that may be long. */
async function firstOf<Item>(
  list: (asked: { size: number; after?: string }) => Promise<Page<Item>>,
  count: number,
): Promise<Item[]> {
  const all: Item[] = []
  let after: string | undefined
  do {
    const { items, next } = await list({ size: 100, ...(after !== undefined && { after }) })
    all.push(...items)
    after = next ?? undefined
  } while (after !== undefined && all.length < count)
  return all.slice(0, count)
}

function gone(error: unknown): undefined {
  if (!(error instanceof NotFound)) throw error
}
