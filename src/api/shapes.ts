import { z } from 'zod'

/** The tokens that a program gets for a proof (RFC 6749, 5.1). */
export const Tokens = z.object({
  token_type: z.literal('Bearer'),
  access_token: z.string(),
  /** Seconds. */
  expires_in: z.int(),
  refresh_token: z.string(),
  refresh_expires_in: z.int(),
})

export const Requested = z.object({ request: z.uuid() })

/** The token's owner, and its permissions. */
export const Me = z.object({
  person: z.object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    /** As they gave it in the portal. */
    phone: z.string().nullable(),
    language: z.string().nullable(),
    timeZone: z.string().nullable(),
    /** Changes with their photo, which is at `/me/photo`. */
    photo: z.string().nullable(),
  }),
  client: z.object({ id: z.string(), name: z.string() }),
  role: z.string(),
  permissions: z.array(z.string()),
})

/** The photo of the token's owner, in Base64. */
export const MyPhoto = z.object({
  photo: z.object({ type: z.enum(['image/jpeg', 'image/png', 'image/webp']), bytes: z.string() }).nullable(),
})

const email = z.string('Enter your e-mail address.').trim().toLowerCase().max(320).min(1, 'Enter your e-mail address.')
/** `second_factor` is a code of the person's authenticator app, if they have one. */
const more = {
  client: z.string().optional(),
  name: z.string().trim().max(100).default(''),
  second_factor: z.string().max(20).optional(),
}

export const Asked = z.object({ email })

/**
 * What a program sends to get tokens: a person's proof, or a refresh token. `client` is one of theirs, `name` is the
 * program's name.
 */
export const Proof = z.discriminatedUnion(
  'grant',
  [
    z.object({ grant: z.literal('password'), email, password: z.string('Enter your password.').min(1), ...more }),
    z.object({ grant: z.literal('code'), request: z.uuid(), code: z.string().regex(/^\d{6}$/), ...more }),
    z.object({ grant: z.literal('refresh'), refresh_token: z.string().min(1).max(200) }),
  ],
  'grant must be password, code or refresh.',
)
