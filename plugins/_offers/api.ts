import { z } from 'zod'
import { Evidence } from '../../src/evidence/shape.ts'
import { filterOf } from '../../src/http/filter.ts'
import { pageOf } from '../../src/http/paging.ts'
import { Money } from '../../src/platform/money.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import { Accepting } from './acceptance.ts'
import { Difference, Since } from './content.ts'
import type { Kind } from './kind.ts'
import { Offer, Overview, Summary, sorts, statuses } from './port.ts'
import { Declining } from './rejection.ts'

export const Filter = filterOf({ statuses, sorts })

/**
 * In a list; `changed` where its number, title, total or last day is other in the CRM than it was signed; `underway` for
 * an answer that is kept here and not in the CRM yet.
 */
const Listed = Summary.extend({
  changed: z.boolean().default(false),
  underway: z.enum(['accepted', 'declined']).optional(),
})

/** `found` counts what a search finds, where the CRM can tell. */
const List = pageOf(Listed).extend({ overview: Overview, found: Overview.shape.counts.optional() })

/** How a down payment stands: what is left, what arrived here, and what is on its way. */
const DownPaymentShown = z.object({
  due: Money,
  left: Money.optional(),
  paid: Money.optional(),
  processing: Money.optional(),
})

const Show = z.object({
  since: Since.nullable().default(null),
  /** What is other in the CRM than it was signed. */
  changed: z.array(Difference).default([]),
  downPayment: DownPaymentShown.optional(),
})

const Accept = z.object({
  ...{ methods: z.array(z.string()), consent: z.string(), seen: z.string(), fingerprint: z.string() },
  /** Of the person, where it is below the total. */
  limit: Money.nullable(),
  /** The attachments as they are now. `seen` covers their bytes too. */
  files: z.array(z.object({ id: z.string(), name: z.string(), bytes: z.int(), sha256: z.string() })).default([]),
  /** SHA-256 of the CRM's own PDF, where that is what is signed. */
  paper: z.string().optional(),
  /** In a conflict, what is other than the `seen` that was sent. */
  changed: z.array(z.string()).default([]),
  downPayment: DownPaymentShown.pick({ due: true }).optional(),
})

const Kept = z.object({
  evidence: Evidence,
  link: z.object({ number: z.int(), hash: z.string() }),
  delivery: z.enum(['saved', 'submitting', 'confirmed', 'refused', 'superseded']),
  failureReason: z.string().nullable(),
  sealed: z.boolean(),
  downPayment: DownPaymentShown.optional(),
})

/** What the API gives for each view. */
export const responseSchemasOf = ({ name, one }: Kind): Section['responseSchemas'] => ({
  [`${name}/list`]: List,
  [`${name}/show`]: z.object({ [one]: Offer, ...Show.shape }),
  [`${name}/accept`]: z.object({ [one]: Offer, ...Accept.shape }),
  [`${name}/decline`]: z.object({ [one]: Offer, seen: z.string() }),
  [`${name}/evidence`]: Kept,
})

/** What it is asked and told. */
export const requestSchemasOf = ({ name }: Kind): Section['requestSchemas'] => ({
  [`${name}/list`]: Filter,
  [`${name}/accept`]: Accepting,
  [`${name}/decline`]: Declining,
})
