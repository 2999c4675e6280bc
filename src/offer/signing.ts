import { z } from 'zod'
import type { RequestContext } from '../context.ts'

export const ways = ['drawn', 'typed', 'ticked'] as const

/** How a workspace wants offers to be signed: a row of its settings, which come with the session. */
export const Policy = z.object({
  ways: z.array(z.enum(ways)).min(1).catch(['drawn', 'typed']).default(['drawn', 'typed']),
  /** The words that are agreed to; ours if empty. */
  consent: z.string().catch('').default(''),
  /** What happens next, as it is told after an acceptance; a line each. */
  next: z.string().catch('').default(''),
  /** Where the company's own copies go; nowhere if empty. */
  copies: z.string().catch('').default(''),
})
export type Policy = z.infer<typeof Policy>

export const policyName = 'signing'

export function policyOf({ visitor }: Pick<RequestContext, 'visitor'>): Policy {
  const row = visitor?.settings.find(([client, person, name]) => !client && !person && name === policyName)
  return Policy.parse(row?.[3] ?? {})
}

/** What the words of a workspace may name. */
export const gaps = ['document', 'version', 'total', 'client'] as const

/** The words that are agreed to: kept with the signature exactly as they are shown. */
export function consentOf(policy: Policy, visit: RequestContext, it: Record<(typeof gaps)[number], string>): string {
  if (policy.consent)
    return policy.consent.replace(/\{(\w+)\}/g, (all, name) => (name in it ? it[name as keyof typeof it] : all))
  return visit.t(
    'I accept {document}, version {version}, as shown here, for {total}, and its terms. I agree to sign electronically, and that this binds {client} as a signature on paper would.',
    it,
  )
}
