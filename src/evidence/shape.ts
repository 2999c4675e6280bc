import { z } from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** What the API tells of an answer's evidence: see `Evidence` in evidence.ts. */
export const Evidence = z.object({
  id: z.uuid(),
  act: z.enum(['accepted', 'declined', 'countersigned']),
  at: z.iso.datetime(),
  document: z.object({
    id: z.string(),
    version: z.int(),
    number: z.string(),
    sha256,
    pdf: z.object({ sha256, bytes: z.int() }).nullable(),
  }),
  signer: z.object({ name: z.string(), email: z.string(), role: z.string().nullable() }),
  consent: z.object({ text: z.string(), sha256 }).nullable(),
  signature: z
    .object({ method: z.enum(['drawn', 'typed', 'ticked']), name: z.enum(['account', 'confirmed']).optional() })
    .nullable(),
  reason: z.string().nullable(),
  publicLink: z.object({ id: z.uuid(), madeBy: z.string(), madeAt: z.iso.datetime() }).optional(),
  order: z.object({ number: z.string().nullable(), requestedOn: z.string().nullable() }),
})
