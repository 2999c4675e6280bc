import { z } from 'zod'

/** Where replies to mails arrive. Without `imap` and without `webhookSecret` none is received, and none is promised. */
export interface RepliesOptions {
  /** The address that takes replies: `reply@in.example`. They are sent to `reply+<token>@in.example`. */
  address: string
  /** The mailbox in which they arrive: `imaps://user:password@imap.example/INBOX`. */
  imap?: string
  /** The secret of the webhook that hands them on, of 24 characters or more; `whsec_…` is base64. */
  webhookSecret?: string
  /**
   * The authserv-id of your own mail server (RFC 8601), whose `Authentication-Results` are believed. If omitted, the
   * portal verifies DKIM itself.
   */
  authserv?: string
  /** Looks up DNS records for that, as `resolve` of `node:dns/promises` does, which it is if omitted. */
  resolve?: (name: string, type: string) => Promise<any>
}

export const RepliesShape = z.object(
  {
    address: z.email('must be an e-mail address like reply@in.example').transform(it => it.toLowerCase()),
    imap: z
      .url({ protocol: /^imaps?$/, message: 'must be an address like imaps://user:password@imap.example/INBOX' })
      .optional(),
    webhookSecret: z.string('must be a string').min(24, 'must have at least 24 characters').optional(),
    authserv: z.string('must be a host name').min(1, 'must be a host name').optional(),
    resolve: z.custom<RepliesOptions['resolve']>(it => typeof it === 'function', 'must be a function').optional(),
  },
  'must be { address, imap, webhookSecret, authserv }',
)

/** The same from the environment; undefined where no address is set. */
export function repliesFromEnvironment(env: NodeJS.ProcessEnv): RepliesOptions | undefined {
  const { REPLY_ADDRESS, REPLY_IMAP, REPLY_WEBHOOK_SECRET, REPLY_AUTHSERV } = env
  if (!REPLY_ADDRESS) return undefined
  return {
    address: REPLY_ADDRESS,
    ...(REPLY_IMAP && { imap: REPLY_IMAP }),
    ...(REPLY_WEBHOOK_SECRET && { webhookSecret: REPLY_WEBHOOK_SECRET }),
    ...(REPLY_AUTHSERV && { authserv: REPLY_AUTHSERV }),
  }
}
