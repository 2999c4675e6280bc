import { z } from 'zod'

import type { SignedInUser } from '../auth/sessions.ts'

export const signatureMethods = ['drawn', 'typed', 'ticked'] as const

/** How a workspace wants its documents to be signed: a row of its settings, which come with the session. */
export const Policy = z.object({
  methods: z.array(z.enum(signatureMethods)).min(1).catch(['drawn', 'typed']).default(['drawn', 'typed']),
  /** The words that are agreed to; ours if empty. */
  consent: z.string().catch('').default(''),
  /** The next steps that are shown after an acceptance, one per line. */
  next: z.string().catch('').default(''),
  /** Where the company's own copies go; nowhere if empty. */
  copies: z.string().catch('').default(''),
})
export type Policy = z.infer<typeof Policy>

export const policyName = 'signing'

/** How this workspace lets clients sign: methods, words of consent, where copies go. */
export function policyOf({ user }: { user: SignedInUser | undefined }): Policy {
  const row = user?.settings.find(([client, person, name]) => !client && !person && name === policyName)
  return Policy.parse(row?.[3] ?? {})
}

/** What the words of a workspace may name. */
export const consentPlaceholders = ['document', 'version', 'total', 'client'] as const
type Placeholder = (typeof consentPlaceholders)[number]

/**
 * The words of consent, kept with the signature exactly as shown: the workspace's own, or `ours` where it has none
 * or they name something that this document lacks.
 */
export function consentOf(policy: Policy, facts: Partial<Record<Placeholder, string>>, ours: string): string {
  const named = consentPlaceholders.filter(it => policy.consent.includes(`{${it}}`))
  if (!policy.consent || named.some(it => facts[it] === undefined)) return ours
  return policy.consent.replace(/\{(\w+)\}/g, (all, name) => {
    const gap = consentPlaceholders.find(it => it === name)
    return (gap && facts[gap]) ?? all
  })
}
