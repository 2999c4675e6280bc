import type { Place } from './judgement/places.ts'
import type { Evidence, Facts } from './model.ts'

export const amountName = /(amount|total|price|balance|tax|sum|paid|montant|importe|betrag)/i

/** Columns with amounts that are whole numbers, each with its type: they may be cents. */
export const wholeAmounts = ({ table }: Place, { tables }: Facts): Evidence[] =>
  tables
    .find(it => it.name === table)
    ?.columns.filter(it => wholeType.test(it.type) && amountName.test(it.name) && !otherNumber.test(it.name))
    .map(it => `${table}.${it.name} ${it.type}`) ?? []

const wholeType = /^(int|integer|bigint|int[48]|mediumint|biginteger|unsignedbiginteger)\b/i
const otherNumber = /_?id$|^is_|^has_|_at$|count|percent|rate|type|number|currency/i
