import { z } from 'zod'
import { Money } from '../platform/money.ts'

/** What proposals, quotations and invoices have in common. Percentages and quantities are decimal strings. */
const decimal = z.string().regex(/^-?\d+(\.\d+)?$/)

/** A line of a document. Amounts are decimal strings; an optional line counts only where `chosen` is true. */
export const Line = z.object({
  /** Of the line in the CRM: without one it cannot be chosen. */
  id: z.string().optional(),
  /** The heading it stands under. */
  group: z.string().nullable(),
  title: z.string(),
  details: z.string().nullable(),
  quantity: decimal,
  unit: z.string().nullable(),
  price: Money,
  /** Off this line, in per cent; already taken off `total`. */
  discount: decimal.nullable(),
  /** In per cent, where the CRM knows one for each line. */
  tax: decimal.optional(),
  total: Money,
  optional: z.boolean(),
  /** An optional line that is not chosen counts in no sum. */
  chosen: z.boolean(),
})
export type Line = z.infer<typeof Line>

/** The totals of a document: discount, net, tax by rate, and total. */
export const Totals = z.object({
  /** Of the lines, before what is taken off the whole. Null where nothing is. */
  discount: z.object({ percent: decimal, amount: Money }).nullable(),
  /** Invoiced before, of the same work: the lines tell all of it, this document what was added. */
  previous: Money.optional(),
  net: Money,
  /** By rate; null where the CRM tells only their sum. */
  taxes: z.array(z.object({ percent: decimal.nullable(), amount: Money })),
  total: Money,
})
export type Totals = z.infer<typeof Totals>

/** The addressee: company, person, address lines. */
export const Addressee = z.array(z.string())

/** Lines under their headings, in their order; those that can be chosen come last, under their own. */
export function grouped(lines: Line[]): { heading: string | null; optional: boolean; lines: Line[] }[] {
  const groups = new Map<string, { heading: string | null; optional: boolean; lines: Line[] }>()
  for (const line of lines.toSorted((a, b) => Number(a.optional) - Number(b.optional))) {
    const key = `${line.optional} ${line.group ?? ''}`
    if (!groups.has(key)) groups.set(key, { heading: line.group, optional: line.optional, lines: [] })
    groups.get(key)?.lines.push(line)
  }
  return [...groups.values()]
}

/** A file that belongs to a document, without its bytes. */
export const Attachment = z.object({
  id: z.string(),
  name: z.string(),
  /** Media type, as the CRM has it. */
  type: z.string().nullable(),
  /** Bytes. */
  size: z.int().nullable(),
})
export type Attachment = z.infer<typeof Attachment>

/** Whole days from one plain date to another. */
export const daysBetween = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)

/** A PDF of a document; the name has no ending yet. */
export interface Pdf {
  name: string
  bytes: Buffer
}
