import { createTransport } from 'nodemailer'

/** A mail as it leaves, in both text and HTML. */
export interface Message {
  /** The same however often it is tried: a server that has it already knows it by its Message-ID (RFC 5322, 3.6.4). */
  id: string
  /** The name that the sender's address bears. */
  from: string
  to: string
  replyTo?: string
  /** An address that takes a POST by which the reader unsubscribes (RFC 8058). */
  unsubscribe?: string
  subject: string
  text: string
  html: string
  attachments?: Attachment[]
}

/** `content` as base64. With a `cid` it is a picture in the HTML, shown inline (RFC 2392). */
export interface Attachment {
  filename: string
  cid?: string
  content: string
  encoding: 'base64'
  contentType: string
}

/**
 * Sends a mail. Throws if it was not accepted; with `responseCode` 500 or more it is not tried again (RFC 5321,
 * 4.2.1).
 */
export type Transport = (message: Message) => Promise<unknown>

/** By SMTP: `smtp://user:password@host:587`, or `smtps://`. `address` is what mails come from. */
export function smtp(url: string, address: string): Transport {
  const server = createTransport(url, {
    disableFileAccess: true,
    disableUrlAccess: true,
    // Connections are kept for what comes close together: one for each mail that is sent at once.
    pool: true,
    maxConnections: 5,
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 60_000,
  } as never)
  const domain = address.split('@').at(-1)
  return ({ id, from, to, unsubscribe, ...rest }) =>
    server.sendMail({
      ...rest,
      from: { name: from, address },
      to: { name: '', address: to },
      messageId: `<${id}@${domain}>`,
      // Nobody's holiday answers it (RFC 3834).
      headers: {
        'Auto-Submitted': 'auto-generated',
        'X-Auto-Response-Suppress': 'All',
        ...(unsubscribe && {
          'List-Unsubscribe': `<${unsubscribe}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        }),
      },
    })
}

/** Why a server takes no mail now, in its words; undefined where it would. Nothing is sent. */
export async function refusal(url: string): Promise<string | undefined> {
  const server = createTransport(url, {
    ...{ connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 5_000, dnsTimeout: 5_000 },
  } as never)
  try {
    await server.verify()
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    server.close()
  }
}
