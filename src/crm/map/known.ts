import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../root.ts'

/** CRMs whose map is kept in docs/crms, each known by tables that no other has. */
const known = [
  { folder: 'odoo', name: 'Odoo 19', tables: ['res_partner', 'sale_order', 'account_move'] },
  { folder: 'dolibarr', name: 'Dolibarr', tables: ['llx_societe', 'llx_propal', 'llx_facture'] },
]

/** The map that is kept of a CRM with these tables, as a draft; undefined for one that nobody mapped yet. */
export function knownMap(tables: string[]): string | undefined {
  const it = known.find(one => one.tables.every(table => tables.includes(table)))
  if (!it) return undefined
  const text = readFileSync(join(root, 'docs/crms', it.folder, 'crm.map.ts'), 'utf8')
  const head = `// This is ${it.name}, whose map is kept. What your company is called, and what it has changed, is yours to correct.`
  return text
    .replace(/from '[^']+'/, `from 'portico'`)
    .replace(/\/\*\*.*?\*\/\n/s, `${head}\n// Then ask \`portico doctor --map\` whether it fits your version.\n`)
}
