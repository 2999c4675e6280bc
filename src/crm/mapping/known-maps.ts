import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../platform/root.ts'

/** CRMs with a map in docs/crms, recognised by tables that no other CRM has. */
const knownMaps = [
  { folder: 'alga-psa', name: 'AlgaPSA', tables: ['tenants', 'quote_items', 'invoice_charges'] },
  { folder: 'odoo', name: 'Odoo 19', tables: ['res_partner', 'sale_order', 'account_move'] },
  { folder: 'dolibarr', name: 'Dolibarr', tables: ['llx_societe', 'llx_propal', 'llx_facture'] },
]

/** The kept map of a CRM with these tables, as a draft; undefined for an unknown CRM. */
export function knownMap(tables: string[]): string | undefined {
  const it = knownMaps.find(one => one.tables.every(table => tables.includes(table)))
  if (!it) return undefined
  const text = readFileSync(join(root, 'docs/crms', it.folder, 'crm.map.ts'), 'utf8')
  const head = `// This is ${it.name}, whose map is kept. What your company is called, and what it has changed, is yours to correct.`
  return text
    .replace(/from '[^']+'/, `from 'portico'`)
    .replace(/\/\*\*.*?\*\/\n/s, `${head}\n// Then ask \`portico doctor --map\` whether it fits your version.\n`)
}
