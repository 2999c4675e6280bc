import { decimal } from './amounts.ts'
import type { DocumentRelation } from './document-relation.ts'
import type { DownPaymentMap } from './map.ts'
import { conditionOf } from './reader.ts'

/** Columns of a document's relation: what is asked for on acceptance, in per cent or as an amount. Null where nothing is. */
export function downPaymentColumns(document: DocumentRelation, it: DownPaymentMap): Record<string, string> {
  const asked = conditionOf(document.place, it.only ?? {})
  const amount = 'amount' in it ? document.amounts.of(document.place, it.amount) : 'null::numeric'
  const percent = 'amount' in it ? 'null::numeric' : percentOf(document, it)
  return {
    down_percent: `case when ${asked} and ${percent} > 0 then trim_scale(least(${percent}, 100)) end`,
    down_amount: `case when ${asked} and ${amount} > 0 then ${amount} end`,
  }
}

function percentOf({ place }: DocumentRelation, it: { percent: string } | { fraction: string }): string {
  // A fraction in a binary number has noise far behind the point.
  if ('fraction' in it) return `round(${decimal(place, it.fraction)} * 100, 4)`
  if (place.kind(it.percent) !== 'text') return decimal(place, it.percent)
  const column = place.column(it.percent)
  const plain = `replace(btrim(${column}, ' %'), ',', '.')`
  return `case when ${plain} ~ '^[0-9]{1,3}([.][0-9]{1,6})?$' then ${plain}::numeric end`
}
