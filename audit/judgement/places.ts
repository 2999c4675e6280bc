import type { Column, Table } from '../model.ts'
import { root, wordsIn } from '../names.ts'

/** Where an entity is kept, and under which names. Null is: not found. */
export interface Place {
  table: string | null
  id?: string
  name?: string
  number?: string
  tenant?: string
  client?: string
  /** The document that a line or a payment belongs to. */
  parent?: string
  owner?: string
  status?: string
  statuses?: string[]
  amount?: string
  currency?: string
  issued?: string
  due?: string
  file?: string
  token?: string
  at?: string
  note?: string
}

/** What a table is called without what all of them have in front. */
export type Stem = (name: string) => string[]

export function pointsAt(column: Column, table: Table, stem: Stem): boolean {
  if (column.references) {
    const name = column.references.toLowerCase()
    if (name === table.name.toLowerCase() || name === table.model?.toLowerCase()) return true
    return stem(column.references).join('_') === stem(table.name).join('_')
  }
  const words = wordsIn(column.name.replace(/^(fk|id)_/, '')).filter(it => it !== 'id' && it !== 'uuid' && it !== 'fk')
  return (
    /(_id|Id|_uuid|_fk|ID)$|^(fk|id)_/.test(column.name) &&
    words.map(root).join('_') === stem(table.name).map(root).join('_')
  )
}

/** The table of a document's lines: it points at the document and has quantities and prices. */
export function linesOf(parent: Table, tables: Table[], stem: Stem): Table | undefined {
  const own = stem(parent.name)
  return tables
    .filter(
      it =>
        it !== parent &&
        (it.columns.some(
          one =>
            pointsAt(one, parent, stem) ||
            wordsIn(one.name)
              .join('_')
              .endsWith(`_${own.join('_')}_id`),
        ) ||
          it.columns.some(one => /^(parent|parent_?id|document_?id)$/i.test(one.name))),
    )
    .map(table => {
      const words = stem(table.name)
      const has = (pattern: RegExp) => table.columns.some(it => pattern.test(it.name))
      const shape =
        (has(/qty|quantit|menge|cantidad/i) ? 30 : 0) +
        (has(/price|prix|preis|precio|rate|subprice|amount|cost|cents/i) ? 20 : 0)
      const named =
        (/^(item|line|det|detail|entry|position|row|ligne|linea|posten|product)$/.test(words.at(-1) ?? '') ||
        /(det|line|item)s?$|^(lineas?|lignes?|righe|posten|positionen)/.test(table.name)
          ? 30
          : 0) + (own.every(it => words.join('_').includes(it)) ? 40 : 0)
      const other = words.some(
        it => /^(recurring|template|tax|amount|draft|credit|deposit|tier|batch)$/.test(it) && !own.includes(it),
      )
        ? 60
        : 0
      // Lines of several kinds of documents lie together and name theirs by a parent's id.
      const shared = table.columns.some(it => /^parent_?(id|type)$/i.test(it.name)) ? 20 : 0
      return { table, score: shape + named + shared - other }
    })
    .filter(it => it.score >= 70)
    .sort((a, b) => b.score - a.score)[0]?.table
}

interface Around {
  tables: Table[]
  stem: Stem
  /** The table that every other one belongs to, and the column by which they do. */
  tenant: { table: Table; column: string | undefined } | undefined
  clients: Table | undefined
  staff: Table | undefined
}

/** A table with the columns that matter, by their names. */
export function describe(table: Table | undefined, { stem, tenant, clients, staff }: Around): Place {
  if (!table) return { table: null }
  const own = stem(table.name).join('_')
  const find = (...patterns: RegExp[]) =>
    patterns
      .map(pattern => table.columns.find(it => pattern.test(it.name) || pattern.test(bare(it.name)))?.name)
      .find(it => it !== undefined)
  /** `invoice_number` of invoices is `number`. */
  const bare = (name: string) =>
    wordsIn(name).join('_').startsWith(`${own}_`)
      ? wordsIn(name)
          .join('_')
          .slice(own.length + 1)
      : name
  const address = table.columns.some(it => /^(city|zip|postcode|postal_?code|country)/i.test(it.name))
  const statusName =
    /^(status|state|etat|statut|estado|fk_statut|zustand|stato|\w*_?status(_id)?|status\w*|docstatus|payment_state)$/i
  const status = table.columns.find(
    it => !(address && it.name === 'state') && (statusName.test(it.name) || /^status(_id)?$/.test(bare(it.name))),
  )
  const firstName = find(/^first_?name$/i, /^prenom$/i, /^vorname$/i)
  const lastName = find(/^last_?name$/i, /^nom$/i, /^nachname$/i, /^surname$/i)
  const client =
    clients && table !== clients
      ? table.columns.find(
          it =>
            pointsAt(it, clients, stem) ||
            (/^(client|customer|kunde|cliente|account|company|partner|fk_soc)(_?id)?$/i.test(it.name) &&
              it.name !== tenant?.column),
        )
      : undefined
  return {
    table: table.name,
    id: find(/^id$/i, /^_id$/, /^rowid$/i, /^uuid$/i, /^(pk|ID)$/, /_id$/i) ?? undefined,
    name:
      find(
        /^(name|title|full_?name|display_?name|company_?name|subject|nom|name1|label|libelle|bezeichnung|titulo|nome|nombre)$/i,
      ) ??
      (firstName && lastName
        ? `${firstName},${lastName}`
        : (firstName ?? find(/^(description|content|email|action)$/i))),
    number: find(
      /^(number|no|nr|ref_?no|reference|ref|code|doc_?num(ber)?|numero|nummer|order_?id|\w+_(number|no|nr))$/i,
    ),
    tenant: tenant && table !== tenant.table ? table.columns.find(it => it.name === tenant.column)?.name : undefined,
    client: client?.name,
    owner:
      staff && table !== staff
        ? table.columns.find(
            it =>
              pointsAt(it, staff, stem) ||
              /^(owner|assigned_?(to|user)|assignee|user_id|created_?by)(_?id)?$/i.test(it.name),
          )?.name
        : undefined,
    status: status?.name,
    statuses: status?.values,
    amount: find(
      /^((grand_?total|total_?(amount|ttc)|amount_?total|total|montant_ttc|amount)(_?(in_)?cents)?|cents|gesamt\w*|importe|valor)$/i,
    ),
    currency: find(/^currency(_?(code|id))?$/i, /^(devise|moneda|waehrung|moeda|valuta|multicurrency_code)$/i),
    issued: find(
      /^(issue[d_]?\w*date|issued_?(on|at)|invoice_?date|date|datef|transaction_date|posting_date|quote_?date|date_?(issued|created)|created_?(at|on)|createdAt|created|datec|creation)$/i,
    ),
    due: find(
      /^(due_?(date|on|at)?|date_?due|dueDate|valid_?(until|till|to)|expir\w+|date_?expires|fin_validite|date_lim_reglement|faellig\w*)$/i,
    ),
    file: find(/^(path|file_?path|storage_?key|url|file_?url|filename|file_?name|key|store_fname|filepath)$/i),
    token: table.columns.find(it =>
      /(public|share|access|url|tracking|approval).*(token|key|hash)|unique_hash/i.test(it.name),
    )?.name,
    at: table.at,
  }
}
