import { z } from 'zod'

/** What a program gets for a proof (RFC 6749, 5.1). */
export const Tokens = z.object({
  token_type: z.literal('Bearer'),
  access_token: z.string(),
  /** Seconds. */
  expires_in: z.int(),
  refresh_token: z.string(),
  refresh_expires_in: z.int(),
})

export const Requested = z.object({ request: z.uuid() })

/** Who the token is of, and what it may. */
export const Me = z.object({
  person: z.object({ id: z.string(), name: z.string(), email: z.string() }),
  client: z.object({ id: z.string(), name: z.string() }),
  role: z.string(),
  permissions: z.array(z.string()),
})

const email = z.string('Type your e-mail address.').trim().toLowerCase().max(320).min(1, 'Type your e-mail address.')
/** `second_factor` is a code of the person's authenticator app, where they have one. */
const more = {
  client: z.string().optional(),
  name: z.string().trim().max(100).default(''),
  second_factor: z.string().max(20).optional(),
}

export const Asked = z.object({ email })

/** The proofs of a person, and a refresh token in place of one. `client` is one of theirs, `name` what the program is called. */
export const Proof = z.discriminatedUnion(
  'grant',
  [
    z.object({ grant: z.literal('password'), email, password: z.string('Type your password.').min(1), ...more }),
    z.object({ grant: z.literal('code'), request: z.uuid(), code: z.string().regex(/^\d{6}$/), ...more }),
    z.object({ grant: z.literal('refresh'), refresh_token: z.string().min(1).max(200) }),
  ],
  'grant must be password, code or refresh.',
)
