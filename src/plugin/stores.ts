import type { Knex } from 'knex'
import type { Crm, Customer, Ports } from '../crm/crm.ts'
import type { Section, StoreParts } from './plugin.ts'

/** A CRM whose missing ports are provided by plugins' own stores. */
export interface WithStores extends Crm {
  /** `own` is a transaction of the portal's database, where that is another one than the CRM's. */
  connect(customer: Customer, tx?: Knex.Transaction, own?: Knex.Transaction): Partial<Ports>
}

/** A port of the CRM's wins over a plugin's own store of the same name, which may stand beside it. */
export function withStores(crm: Crm, sections: Section[], database: Knex, parts: StoreParts): WithStores {
  const stores = sections.filter(it => it.store || it.beside)
  if (!stores.length) return crm
  return Object.create(crm, {
    connect: {
      value: (customer: Customer, tx?: Knex.Transaction, own?: Knex.Transaction): Partial<Ports> => {
        const theirs = crm.connect(customer, tx)
        const offered = stores.flatMap(it => {
          const its = theirs[it.name as keyof Ports]
          if (its) return it.beside ? [[it.name, it.beside(its, customer, own ?? database, parts)]] : []
          const port = it.store?.(customer, own ?? database, parts)
          return port ? [[it.name, marked(port)]] : []
        })
        return { ...theirs, ...Object.fromEntries(offered) }
      },
    },
  })
}

/** Whether a port is a plugin's own store, in the portal's database. */
export const isStore = (port: object) => stored.has(port)

const stored = new WeakSet<object>()

function marked(port: object): object {
  stored.add(port)
  return port
}
