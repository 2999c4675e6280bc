import { minus } from '../../src/pdf/print.ts'
import { localeOf, speak } from '../../src/platform/i18n.ts'
import type { Money } from '../../src/platform/money.ts'
import { differencesOf, type Shown } from './compare.ts'
import { inTurns } from './in-turns.ts'
import type { openSite, SignedIn } from './site.ts'
import type { SectionName, TrueDocument, Truth } from './truth.ts'

/** What signed-in clients saw, as pages and as JSON. */
export interface Visits {
  people: number
  /** Documents that were read by their clients, and documents of others that were asked for. */
  read: number
  foreign: number
  /** What JSON says other than the CRM; by `invoices/12`. */
  json: ReturnType<typeof differencesOf>
  /** What a page does not show of what JSON says. */
  pages: string[]
  leaks: string[]
}

const { money, day } = speak(`${localeOf('en')}|UTC`)
/** What a document is called in JSON. */
const nouns: Record<SectionName, string> = { invoices: 'invoice', quotations: 'quotation', proposals: 'proposal' }

/** Signs six clients in, or more, until they have this many documents; reads these, every list, and others'. */
export async function visitPages(site: Awaited<ReturnType<typeof openSite>>, truth: Truth, atLeast: number) {
  const visits: Visits = { people: 0, read: 0, foreign: 0, json: [], pages: [], leaks: [] }
  for (const { workspace, client, documents } of spread(byClient(truth))) {
    if (visits.read >= atLeast && visits.people >= 6) break
    const person = await site.signIn(workspace, client)
    if (!person) continue
    visits.people++
    await inTurns(spread(documents).slice(0, 15), it => readDocument(person, it, visits))
    await readLists(person, visits)
    await askForOthers(person, truth, visits)
  }
  return visits
}

function byClient({ documents }: Truth) {
  const groups = Map.groupBy(
    documents.filter(it => it.client !== ''),
    it => JSON.stringify([it.workspace, it.client]),
  )
  return [...groups.values()].map(its => ({ workspace: its[0]!.workspace, client: its[0]!.client, documents: its }))
}

/** Every third, then the others: so that those who come first are not all alike. */
const spread = <One>(its: One[]) => [0, 1, 2].flatMap(rest => its.filter((_, at) => at % 3 === rest))

async function readDocument(person: SignedIn, truth: TrueDocument, visits: Visits) {
  const path = `/${truth.section}/${encodeURIComponent(truth.id)}`
  const [page, json] = [await person.page(path), await person.json(path)]
  visits.read++
  if (page.status !== json.status) visits.pages.push(`${path}: page ${page.status}, JSON ${json.status}`)
  const shown: Shown | null = json.status === 200 ? json.body[nouns[truth.section]] : null
  visits.json.push(...differencesOf(truth, shown, person.timeZone))
  if (!shown) return
  const text = textOf(page.text)
  const missing = expectedOn(shown).filter(it => !text.includes(it))
  if (missing.length) visits.pages.push(`${path}: no ${missing.join(', no ')}`)
  if (/\bNaN\b|undefined|\[object/.test(text)) visits.pages.push(`${path}: a value that is none`)
}

/** What the page of a document says, in the reader's form. */
function expectedOn(shown: Shown): string[] {
  const amount = (it: Money) => plain(money(it))
  const { sums, lines } = shown
  const due = 'balance' in shown && ['open', 'overdue'].includes(shown.status) ? [amount(shown.balance)] : []
  // A credit note is not due.
  const isDue = 'dueOn' in shown && !sums.total.amount.startsWith('-')
  const dates = isDue ? [day(shown.sentOn), day(shown.dueOn)] : [day(shown.sentOn)]
  return [
    plain(shown.number),
    ...dates,
    amount(sums.total),
    ...due,
    ...sums.taxes.map(it => amount(it.amount)),
    ...lines.flatMap(it => [plain(it.title), amount(it.total)]),
    ...('payments' in shown ? [...shown.payments, ...shown.creditNotes].map(it => amount(minus(it.amount))) : []),
  ].filter(Boolean)
}

async function readLists(person: SignedIn, visits: Visits) {
  for (const section of ['invoices', 'quotations', 'proposals', 'payments'] as const) {
    const [page, json] = [await person.page(`/${section}`), await person.json(`/${section}`)]
    if (page.status === 404 && json.status === 404) continue
    const text = textOf(page.text)
    const shown = (json.body.items ?? []).flatMap((it: any) => [it.number, it.total && money(it.total)])
    const missing = shown.filter((it: string | undefined) => it && !text.includes(plain(it)))
    if (page.status !== 200 || json.status !== 200) visits.pages.push(`/${section}: ${page.status}, ${json.status}`)
    if (missing.length) visits.pages.push(`/${section} of client ${person.client}: no ${missing.join(', no ')}`)
  }
  const [home, statement] = [await person.page('/'), await person.page('/invoices/statement')]
  for (const [name, { status }] of Object.entries({ home, statement }))
    if (status !== 200) visits.pages.push(`${name} of client ${person.client}: ${status}`)
}

/** Every fifth document of others, in turn beginning elsewhere. */
async function askForOthers(person: SignedIn, { documents }: Truth, visits: Visits) {
  const others = documents.filter(it => it.client !== person.client || it.workspace !== person.workspace)
  const some = others.filter((_, at) => at % 5 === visits.people % 5)
  visits.foreign += some.length
  await inTurns(some, async ({ section, id }) => {
    const path = `/${section}/${encodeURIComponent(id)}`
    const [page, json] = [await person.page(path), await person.json(path)]
    if (page.status !== 404 || json.status !== 404)
      visits.leaks.push(`${path} for client ${person.client}: page ${page.status}, JSON ${json.status}`)
  })
}

const plain = (text: string) => text.replace(/\s+/g, ' ').trim()

const signs: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }

/** What a page says, without its tags. */
const textOf = (html: string) =>
  plain(
    html
      .replace(/<(script|style)\b.*?<\/\1>/gs, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
      .replace(/&(\w+);/g, (all, name) => signs[name] ?? all),
  )
