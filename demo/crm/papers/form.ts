import { z } from 'zod'
import { type PricedLine, totals } from '../money.ts'
import type { Kind } from './kinds.ts'

export type PaperForm = z.infer<typeof form>

const text = (most: number) => z.string().trim().max(most).default('')
const required = (most: number, name: string) => text(most).refine(value => value !== '', `${name} is missing`)
const decimal = (whole: number, places: number, name: string) =>
  z
    .string()
    .trim()
    .transform(value => value.replace(',', '.'))
    .pipe(z.string().regex(new RegExp(`^-?\\d{1,${whole}}(\\.\\d{1,${places}})?$`), `${name} is not a number`))
const percent = (places: number, name: string) =>
  decimal(3, places, name).refine(value => Number(value) >= 0 && Number(value) <= 100, `${name} is not a percentage`)
const orElse = (schema: z.ZodType<string, string>, fallback: string) =>
  z.preprocess(value => (typeof value === 'string' && value.trim() ? value : fallback), schema)
const tick = z
  .unknown()
  .optional()
  .transform(value => value !== undefined && value !== '')
const day = z.union([z.literal('').transform(() => null), z.iso.date()]).default(null as never)

const line = z.object({
  group: text(120),
  title: required(240, 'Description of a line'),
  details: text(2000),
  quantity: orElse(decimal(9, 3, 'Quantity'), '1'),
  unit: text(30),
  price: decimal(10, 4, 'Unit price'),
  discount: orElse(percent(2, 'Discount of a line'), '0'),
  tax: orElse(percent(3, 'Tax'), '0'),
  optional: tick,
  chosen: tick,
})

const form = z.object({
  client: z
    .string()
    .regex(/^\d{1,9}$/, 'Choose a client')
    .transform(Number),
  contact: z
    .union([
      z.literal('').transform(() => null),
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ])
    .default(null as never),
  title: required(200, 'Title'),
  end: day,
  intro: text(5000),
  terms: text(5000),
  currency: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z]{3}$/, 'Currency is a code of three letters'),
  discount: z.union([z.literal('').transform(() => null), percent(2, 'Discount')]).default(null as never),
  lines: z.preprocess(filled, z.array(line).min(1, 'At least one line is needed').max(200)),
})

export function readForm(kind: Kind, body: unknown): { form: PaperForm } | { problems: string[] } {
  const parsed = form.safeParse(body ?? {})
  if (!parsed.success) return { problems: [...new Set(parsed.error.issues.map(issue => issue.message))] }
  const problem = kind.offer ? undefined : refusal(parsed.data)
  return problem ? { problems: [problem] } : { form: parsed.data }
}

export function totalsOf(form: PaperForm) {
  return totals(form.lines.map(pricedLine), form.discount)
}

export function pricedLine(line: PaperForm['lines'][number]): PricedLine {
  const { quantity, price, discount, tax, optional, chosen } = line
  return { quantity, unitPrice: price, discount, tax, counts: !optional || chosen }
}

function refusal(form: PaperForm): string | undefined {
  if (form.terms.length > 60) return 'The order number is too long'
  return totalsOf(form).gross.startsWith('-') ? 'An invoice cannot be below zero' : undefined
}

function filled(lines: unknown): unknown[] {
  const all = lines && typeof lines === 'object' ? Object.values(lines) : []
  return all.filter(line => line && typeof line === 'object' && ('title' in line ? line.title : '') !== '')
}
