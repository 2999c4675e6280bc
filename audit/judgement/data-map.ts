import { type Entity, entities, wordsOf } from '../lexicon.ts'
import type { Table } from '../model.ts'
import { root, wordsIn } from '../names.ts'
import { describe, linesOf, type Place, pointsAt, type Stem } from './places.ts'
import { tenantOf } from './tenant.ts'

export type DataMap = Record<Entity | 'quotation_lines' | 'proposal_lines' | 'invoice_lines' | 'portal_users', Place>

/** Which table holds what. `written` are the tables that clients' own actions write: they decide between equals. */
export function mapData(tables: Table[], written: string[] = []): DataMap {
  const real = tables.filter(it => it.columns.length > 1 && !it.view)
  const stem = stemmer(real)
  const taken = new Set<Table>()
  const found = {} as Record<Entity, Table | undefined>
  const pick = (entity: Entity, score: (table: Table) => number) => {
    const best = real
      .filter(it => !taken.has(it))
      .map(table => ({ table, score: score(table) }))
      .filter(it => it.score >= 40)
      .sort((a, b) => b.score - a.score || a.table.name.length - b.table.name.length)[0]
    found[entity] = best?.table
    if (best) taken.add(best.table)
  }
  const named = (entity: Entity) => (table: Table) => nameScore(entity, stem(table.name))
  const points = (table: Table, to: Table | undefined) =>
    to !== undefined && table.columns.some(it => pointsAt(it, to, stem))

  for (const entity of ['invoices', 'quotations', 'proposals', 'orders'] as const)
    pick(entity, table => named(entity)(table) && named(entity)(table) + document(table))
  found.invoices ??= real
    .filter(it => !taken.has(it) && voucher(it, stem))
    .sort((a, b) => b.columns.length - a.columns.length)[0]
  if (found.invoices) taken.add(found.invoices)
  const among = found.invoices?.columns.find(
    it =>
      /^is_?(estimate|quote|offer|quotation)/i.test(it.name) ||
      (/type|kind/i.test(it.name) && it.values?.some(one => /^(estimate|quote|quotation|offer)$/i.test(one))),
  )
  const documents = [found.invoices, found.quotations, found.proposals].filter(it => it !== undefined)
  pick(
    'staff_users',
    table =>
      named('staff_users')(table) &&
      named('staff_users')(table) +
        (table.columns.some(it => /passw|pwd|pass_crypted/i.test(it.name)) ? 25 : 0) +
        inbound(real, table, stem) -
        (/role|permission/.test(table.name) ? 60 : 0),
  )
  const tenant = tenantOf(real, found.staff_users, table => documents.some(it => it === table), stem)
  if (tenant) taken.add(tenant.table)
  pick('clients', table => {
    const score = named('clients')(table)
    const asked = documents.filter(it => points(it, table)).length
    const weak = !/(client|customer|kund|societe|cliente|tiers)/i.test(table.name)
    if (/account/i.test(table.name) && table.columns.some(it => /provider_?(id|account)|refresh_?token/i.test(it.name)))
      return 0
    if (table.columns.some(it => /(bank|iban|opening_?balance|routing|swift)/i.test(it.name)) && !asked) return 0
    // What nearly everything points at is whose CRM it is, and not whom it is about.
    const pointing = inbound(real, table, stem)
    if (!score || (weak && (pointing > Math.max(8, real.length * 0.4) || (!asked && pointing < 2)))) return 0
    return score + asked * 15 + Math.min(pointing, 10)
  })
  pick(
    'contacts',
    table =>
      named('contacts')(table) &&
      named('contacts')(table) +
        (points(table, found.clients) ? 20 : 0) +
        (table.columns.some(it => /mail/i.test(it.name)) ? 15 : -30),
  )
  if (!found.clients && found.contacts && documents.some(it => points(it, found.contacts)))
    [found.clients, found.contacts] = [found.contacts, undefined]
  for (const entity of ['payments', 'tasks', 'projects', 'documents', 'tickets'] as const)
    pick(
      entity,
      table =>
        named(entity)(table) && named(entity)(table) + expected(entity, table) + (points(table, found.clients) ? 5 : 0),
    )
  pick('messages', table => {
    const score = named('messages')(table)
    const talk = table.columns.some(it => /^(is_?internal|is_?public|post|visibility|reply_?to|thread)/i.test(it.name))
    const about = /note/i.test(table.name) && !talk && !written.includes(table.name) ? -70 : 0
    return score && score + expected('messages', table) + about + (written.includes(table.name) ? 80 : 0)
  })
  // Calls and meetings are called activities too: work to be done, and no log of what was.
  const work = (table: Table) =>
    table.columns.some(it => /^(duration|outcome|due_?(at|date|on)|scheduled\w*)$/i.test(it.name)) ? -30 : 0
  pick(
    'activity',
    table => named('activity')(table) && named('activity')(table) + expected('activity', table) + work(table),
  )

  const place = (table: Table | undefined): Place =>
    describe(table, { tables: real, stem, tenant, clients: found.clients, staff: found.staff_users })
  const lines = (parent: Table | undefined): Place => {
    const line = parent && linesOf(parent, real, stem)
    if (line)
      return {
        ...place(line),
        parent: line.columns.find(
          it => pointsAt(it, parent, stem) || it.name.endsWith(`_${stem(parent.name).join('_')}_id`),
        )?.name,
      }
    const inside = parent?.columns.find(it => /^(line_?items?|items|lines|details|products)$/i.test(it.name))
    return inside
      ? { table: parent!.name, name: inside.name, at: inside.at, note: 'kept as JSON in the document' }
      : { table: null }
  }
  const made = Object.fromEntries(Object.keys(entities).map(it => [it, place(found[it as Entity])])) as DataMap
  if (!found.quotations && among) made.quotations = { ...made.invoices, note: `among the invoices, by ${among.name}` }
  made.tenants = tenant ? { ...place(tenant.table), note: tenant.note } : { table: null }
  return {
    ...made,
    quotation_lines: lines(found.quotations),
    proposal_lines: lines(found.proposals),
    invoice_lines: lines(found.invoices),
    portal_users: { table: null },
  }
}

function stemmer(tables: Table[]): Stem {
  const first = Map.groupBy(
    tables.map(it => it.name.match(/^[a-z]+_|^tab(?=[A-Z])/)?.[0] ?? ''),
    it => it,
  )
  const trade = new Set(Object.values(entities).flatMap(it => it.split(' ')))
  const common = [...first]
    .filter(([prefix, all]) => {
      const share = all.length / tables.length
      const own = !trade.has(prefix.replace('_', '')) && prefix.length > 4 && all.length >= 10
      return prefix && all.length > 3 && (share > 0.4 || (own && share > 0.08))
    })
    .map(([prefix]) => prefix)
  return name => {
    const bare = common.find(it => name.startsWith(it))
    return wordsIn(
      (bare ? name.slice(bare.length) : name).replace(/^(crm|tbl|tab|app|sys|ext|mod|llx)_(?=\w)|^tab(?=[A-Z])/i, ''),
    )
  }
}

function nameScore(entity: Entity, words: string[]): number {
  const name = words.join('_')
  const options = wordsOf(entity)
  const rank = options.indexOf(name)
  if (rank !== -1) return 100 - Math.min(rank, 14) * 2
  const declined = options.findIndex(it => it.length > 4 && root(it) === root(name))
  if (declined !== -1) return 88 - Math.min(declined, 14) * 2
  const end = options.findIndex(it => name.endsWith(`_${it}`) && it.length > 3)
  if (end !== -1 && !derived.test(name)) return (words.length === 2 ? 66 : 52) - end
  const start = options.findIndex(
    it => name.startsWith(it) && /^(s|e|es|en|n|det)?(cli|cus)?$/.test(name.slice(it.length)),
  )
  return start === -1 ? 0 : 70 - start
}

/** Tables about a thing, and not the thing itself. */
const derived =
  /(type|status|state|categor|template|setting|tag|log|histor|item|line|detail|draft|recurring|embedding|target|lead|vendor|supplier|purchase|expense|campaign|import|export|bank|api|email_message|custom(?!er)|bug|team|staff|employee|internal|sync|queue|cron|kanban|notification|chunk|metric|event_type|password|sms|payroll|credit)/

const document = (table: Table) =>
  // A supplier's paper is no client's.
  (table.columns.some(it => /vendor|supplier|fournisseur|proveedor|lieferant|fornitore/i.test(it.name)) &&
  !table.columns.some(it => /client|customer|contact/i.test(it.name))
    ? -60
    : 0) +
  (table.columns.some(it => /(total|amount|balance|montant|importe|summe|betrag)/i.test(it.name)) ? 15 : -15) +
  (table.columns.some(it => /(number|no$|ref|name|_id$)/i.test(it.name)) ? 5 : 0) +
  (table.columns.some(it => /date|_at$|_on$/i.test(it.name)) ? 5 : 0)

/** A table of documents of several kinds, invoices among them: it has their number, their sum and when they are due. */
const voucher = (table: Table, stem: Stem) =>
  /^(document|voucher|sale|bill|billing_document)$/.test(stem(table.name).join('_')) &&
  [/(number|ref)/i, /(amount|total)/i, /due/i].every(shape => table.columns.some(it => shape.test(it.name)))

const shapes: Partial<Record<Entity, RegExp>> = {
  payments: /(amount|montant|total|importe|betrag|valor|cents)/i,
  tasks: /(title|subject|name|description|content|label)/i,
  projects: /(title|name|label|subject)/i,
  documents: /(file|path|url|mime|size|storage|key|filename|name)/i,
  messages: /(body|content|message|comment|text|note|post)/i,
  tickets: /(subject|title|status|priority|name|state)/i,
  activity: /(action|event|type|description|what|verb|changes|log)/i,
}

/** Work of the machine, whatever it is called. */
const machinery = /^(attempts|payload|queue\w*|execute\w*|service_?name|available_at|cron\w*|process_?id)$/i

const expected = (entity: Entity, table: Table) =>
  table.columns.some(it => machinery.test(it.name))
    ? -80
    : !shapes[entity] || table.columns.some(it => shapes[entity]!.test(it.name))
      ? 10
      : -40

const inbound = (tables: Table[], table: Table, stem: Stem) =>
  tables.filter(it => it !== table && it.columns.some(one => pointsAt(one, table, stem))).length
