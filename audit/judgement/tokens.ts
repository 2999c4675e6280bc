import { tokenName } from '../lexicon.ts'
import type { Evidence, Table } from '../model.ts'
import { anyPart } from '../patterns.ts'
import type { DataMap } from './data-map.ts'

/** Columns with tokens of documents and clients, and of tables of links. */
export function documentTokens(tables: Table[], data: DataMap): Evidence[] {
  return tables
    .filter(it => concernsClients(it, data) && !tableOfOthers.test(it.name))
    .flatMap(table => {
      const links = /(invitation|portal|share|link)/i.test(table.name)
      return table.columns
        .filter(
          it => (tokenName.test(it.name) && !otherToken.test(it.name)) || (links && /^(key|code)$/i.test(it.name)),
        )
        .map(it => `${table.name}.${it.name} (${it.at})`)
    })
}

/** A table of documents, clients or their people, by the data map or by its name. */
export const concernsClients = (table: Table, data: DataMap): boolean =>
  clientEntities.some(it => data[it].table === table.name) || clientTable.test(table.name)

const clientEntities = [
  'clients',
  'contacts',
  'invoices',
  'quotations',
  'proposals',
  'orders',
  'tickets',
  'projects',
] as const

const clientTable = anyPart(
  'invoice quot estimate proposal propal facture devis document ticket contract order',
  'client customer contact portal invitation share payment_?link public_link booking project',
)

/** Tables whose tokens are for staff, suppliers and machines. */
const tableOfOthers = anyPart(
  'user personal api oauth staff vendor supplier device refresh access_token webhook calendar purchase bank gateway',
  'reset integration form subscription email_?account',
)

/** Columns that look like tokens and open nothing for a client. */
const otherToken =
  /(remember|file|content|message|password|reset|api|refresh|commit|idempotency|row|data|image)_?(token|key|hash)/i
