import type { Catalogue } from '../catalogue.ts'
import { invoices, offers } from './draft/documents.ts'
import { payments } from './draft/payments.ts'
import { clientsOf, contacts, oneWorkspace, passwords, staff, workspaces } from './draft/people.ts'
import { type Around, base, owner, type Samples, workspace } from './draft/rows.ts'
import { sharedFiles } from './draft/shared-files.ts'
import { type FoundPlace, guess, line, type Place, placeIn, tableLike } from './guess.ts'
import type { DraftEntry, Mapped } from './section.ts'

/**
 * A first `crm.map.ts` out of what an audit found, for a developer to check: each line says how sure it is and what
 * else was considered. `catalogue` is of the audit's tables; `heading` are comments that come first.
 */
export async function draft(
  data: Record<string, Place>,
  catalogue: Catalogue,
  samples: Samples,
  { plugins = [], heading = [] }: { plugins?: Mapped[]; heading?: string[] } = {},
): Promise<string> {
  const thing = (name: string) => placeIn(data[name], catalogue)
  const tenants = thing('tenants')
  const clients = thing('clients')
  const invoiced = thing('invoices')
  const around: Around = {
    tenants: Boolean(tenants),
    staff: thing('staff_users'),
    contacts: thing('contacts'),
    credits: tableLike(catalogue, /credit_?(note|memo)s?$/),
    ...samples,
  }
  const parts = [
    ['workspaces', tenants ? workspaces(tenants) : oneWorkspace],
    ['clients', clients && clientsOf(clients, Boolean(tenants), around.staff)],
    ['contacts', contacts(around.contacts, clients)],
    ['proposals', await offers(thing('proposals'), thing('proposal_lines'), around)],
    ['quotations', await offers(thing('quotations'), thing('quotation_lines'), around)],
    ['invoices', await invoices(invoiced, thing('invoice_lines'), around)],
    ['payments', await payments(thing('payments'), invoiced, around)],
    ['identity', passwords(around.contacts)],
    ['staff', staff(around.staff)],
    ...plugins.map(
      ({ name, mapping }) => [name, section(thing(mapping?.draft?.entity ?? ''), mapping?.draft, around)] as const,
    ),
  ] as const
  const text = parts.flatMap(([name, lines]) =>
    Array.isArray(lines) ? [`  ${name}: {`, ...lines.map(it => `    ${it}`), '  },'] : lines ? [`  ${lines}`] : [],
  )
  text.push(...(await sharedFiles(thing('documents'), around)).map(it => `  ${it}`))
  const needed = text.some(it => it.includes(': todo(')) ? 'defineMap, todo' : 'defineMap'
  return [
    `import { ${needed} } from 'portico'`,
    '',
    ...heading,
    '// A draft: answer each todo(), then check every line, those below 80 % first.',
    '// Then ask `portico doctor --map` about it.',
    'export default defineMap({',
    ...text,
    '})',
    '',
  ].join('\n')
}

/** A plugin's entry: whose it is comes from the audit, and the rest by the names that the plugin says. */
function section(it: FoundPlace | undefined, entry: DraftEntry | undefined, { tenants }: Around): string[] | undefined {
  if (!it || !entry) return undefined
  const columns = Object.entries(entry.columns).flatMap(([name, names]) =>
    line(name, guess(it, undefined, names), true),
  )
  return [...base(it), ...owner(it), ...(tenants ? workspace(it) : []), ...columns]
}
