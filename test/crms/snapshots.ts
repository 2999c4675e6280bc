import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import algaPsa from '../../docs/crms/alga-psa/crm.map.ts'
import dolibarr from '../../docs/crms/dolibarr/crm.map.ts'
import odoo from '../../docs/crms/odoo/crm.map.ts'
import type { CrmMap } from '../../src/index.ts'
import { root } from '../../src/platform/root.ts'
import { algaPsaTruth } from './truth/alga-psa.ts'
import { dolibarrTruth } from './truth/dolibarr.ts'
import { odooTruth } from './truth/odoo.ts'
import type { Truth } from './truth.ts'

/** A database of a real CRM, with what that CRM says of it, and the map that is kept for it. */
export interface Snapshot {
  /** As its folder in docs/crms. */
  name: string
  /** As it is called in the table. */
  title: string
  map: CrmMap
  dump: string
  truth(): Truth
  /** A file beside the dump, as JSON; undefined where there is none. */
  file(name: string): unknown
  /** Differences that stay, each with its reason. */
  named: NamedDifference[]
}

export type NamedDifference = z.infer<typeof NamedDifference>
const NamedDifference = z.strictObject({
  /** As `invoices/12` or `clients/7`. */
  of: z.array(z.string()).nonempty(),
  field: z.string(),
  reason: z.string(),
})

export const kept = [
  { name: 'dolibarr', folder: 'dolibarr-20', title: 'Dolibarr 20', map: dolibarr, read: dolibarrTruth },
  { name: 'odoo', folder: 'odoo-19', title: 'Odoo 19', map: odoo, read: odooTruth },
  { name: 'alga-psa', folder: 'alga-psa', title: 'AlgaPSA', map: algaPsa, read: algaPsaTruth },
]

export const folder = process.env.PORTICO_CRMS ?? join(root, '../shared/crms/snapshots')

function jsonIn(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/** The snapshots that are there. */
export const snapshots: Snapshot[] = kept
  .filter(it => existsSync(join(folder, it.folder, 'postgres.sql.gz')))
  .map(it => {
    const file = (name: string) => jsonIn(join(folder, it.folder, name))
    return {
      name: it.name,
      title: it.title,
      map: it.map,
      dump: join(folder, it.folder, 'postgres.sql.gz'),
      truth: () => it.read(file('truth.json') as never),
      file,
      named: z.array(NamedDifference).parse(jsonIn(join(root, 'docs/crms', it.name, 'differences.json')) ?? []),
    }
  })
