import { money } from '../../../src/crm/mapping/amounts.ts'
import type { CreditMap, CrmMap } from '../../../src/crm/mapping/map.ts'
import { belongs } from '../../../src/crm/mapping/owned.ts'
import { hintIndex, placeOf, type Reader } from '../../../src/crm/mapping/reader.ts'

/** A relation of what this customer can still use: currency, amount. */
export function creditOf(reader: Reader, map: CrmMap, it: CreditMap): string {
  const place = placeOf(reader, it, 'k')
  const amounts = money(place, it)
  hintIndex(place, it, it.client, [], 'credit of a client')
  return `(select ${amounts.currency} as currency, sum(${amounts.of(place, it.amount)}) as amount
    from ${place.from}${amounts.join} where ${belongs(reader, map, place, it)} and ${place.rows} group by 1)`
}
