import type { Header, Incoming } from './incoming.ts'
import type { Why } from './why.ts'

interface Ours {
  /** The address that our mails come from. */
  sender: string | undefined
  /** The address that takes replies. */
  replies: string
}

/**
 * Why nobody wrote this mail: a program sent it (RFC 3834), it tells of mail that could not be delivered, or it is our own
 * that came back. Undefined for what a person wrote, as far as one can tell.
 */
export function automatic(
  mail: Pick<Incoming, 'headers' | 'from' | 'subject' | 'messageId'>,
  ours: Ours,
): Why | undefined {
  const header = (name: string) => valueIn(mail.headers, name)
  const [from] = mail.from
  if (isOurs(mail, ours)) return { sentence: 'This is one of our own e-mails that came back.' }
  if (
    /^multipart\/report\b/i.test(header('content-type') ?? '') ||
    isFromServer(from?.address) ||
    header('return-path') === '<>'
  )
    return { sentence: 'This is a mail server’s report about an e-mail.' }
  if (
    submitted(header('auto-submitted')) ||
    header('x-autoreply') ||
    header('x-autorespond') ||
    suppresses(mail.headers)
  )
    return { sentence: 'This is an automatic reply.' }
  if (
    /^(bulk|junk|list|auto_reply)\b/i.test(header('precedence') ?? '') ||
    header('list-id') ||
    header('list-unsubscribe')
  )
    return { sentence: 'It came from a mailing list.' }
  if (outOfOffice.some(it => it.test(mail.subject))) return { sentence: 'This is an automatic reply.' }
  return undefined
}

/** Anything but `no` says that a program sent it. */
const submitted = (value: string | undefined) => value !== undefined && !/^\s*no\s*(;|$)/i.test(value)

/** Exchange marks its own automatic mails so. */
const suppresses = (headers: Header[]) =>
  /\b(all|oof|autoreply)\b/i.test(valueIn(headers, 'x-auto-response-suppress') ?? '')

const isFromServer = (address = '') => /^(mailer-daemon|postmaster)@/i.test(address)

/** Ours are named by a UUID at the sender's domain. */
function isOurs({ from, messageId }: Pick<Incoming, 'from' | 'messageId'>, { sender, replies }: Ours): boolean {
  const [local, domain] = replies.split('@')
  const isOwn = (it: string) =>
    it === sender?.toLowerCase() || it === replies || (it.startsWith(`${local}+`) && it.endsWith(`@${domain}`))
  if (from.some(it => isOwn(it.address))) return true
  const [id = '', at] = messageId.split('@')
  return sender !== undefined && at === sender.split('@')[1] && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id)
}

/** What subjects of absence notes begin with, in English, Spanish, German, Dutch and French. */
const outOfOffice = [
  /^(auto(matic|mated)?[- ]?(reply|response)|out of (the )?office)\b/i,
  /^(respuesta automática|fuera de (la )?oficina)/i,
  /^(automatische antwort|abwesenheits(notiz|meldung|assistent)|abwesend)\b/i,
  /^(automatisch antwoord|afwezig(heid)?\b|niet aanwezig\b)/i,
  /^(réponse automatique|absence du bureau|absent du bureau)/i,
]

const valueIn = (headers: Header[], name: string): string | undefined =>
  headers.find(([key]) => key === name)?.[1].trim()
