import type { Knex } from 'knex'
import type { Crm, Customer, Ports } from './crm.ts'
import type { Section } from './section.ts'

/** A CRM whose ports are completed by those of plugins with tables of their own. */
export interface WithStores extends Crm {
  /** `own` is a transaction of the portal's database, where that is another one than the CRM's. */
  connect(customer: Customer, tx?: Knex.Transaction, own?: Knex.Transaction): Partial<Ports>
}

/** A port of the CRM's wins over a plugin's own store of the same name. */
export function withStores(crm: Crm, sections: Section[], database: Knex): WithStores {
  const stores = sections.filter(it => it.store)
  if (!stores.length) return crm
  return Object.create(crm, {
    connect: {
      value: (customer: Customer, tx?: Knex.Transaction, own?: Knex.Transaction): Partial<Ports> => {
        const theirs = crm.connect(customer, tx)
        const ours = stores.filter(({ name }) => !(name in theirs))
        return Object.assign(
          Object.fromEntries(ours.map(it => [it.name, it.store!(customer, own ?? database)])),
          theirs,
        )
      },
    },
  })
}
