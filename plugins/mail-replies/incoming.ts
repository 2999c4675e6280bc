import PostalMime, { type Address, type Attachment, addressParser } from 'postal-mime'
import { cleanFileName } from '../../src/files/names.ts'

/** A mail as it arrived, whichever way. */
export interface Incoming {
  recipients: string[]
  /** Every mailbox of every From: there should be one. */
  from: { name: string; address: string }[]
  /** In their order, names in lower case. */
  headers: Header[]
  subject: string
  /** Without angle brackets; empty if it has none. */
  messageId: string
  text: string
  html: string
  files: IncomingFile[]
  /** Why the text or files are not all there. */
  unread?: 'broken' | 'large'
  /** The mail itself. */
  raw?: Buffer
  /** What a provider that we trust says of the sender: the result of DMARC (RFC 7489). */
  verdict?: string
  /** How it came to the provider, where it says so: for SPF (RFC 7208). */
  envelope?: { ip?: string; helo?: string; mailFrom?: string }
}

export interface IncomingFile {
  name: string
  content: Uint8Array
}

export type Header = [name: string, value: string]

/** Bytes of the largest mail that is read; servers take mails of 25 to 35 MB. */
export const largestMail = 40_000_000

/** Bytes of the headers of a mail that cannot be read otherwise. */
export const mostHeaders = 200_000

const limits = { forceRfc822Attachments: true, maxNestingDepth: 50, maxHeadersSize: 1_000_000 }

/** Reads a mail (RFC 5322). Of one that is broken or too large, reads the headers alone. */
export async function readMail(raw: Buffer): Promise<Incoming> {
  if (raw.length > largestMail) return readHeaders(raw, 'large')
  try {
    const mail = await PostalMime.parse(raw, limits)
    const files = mail.attachments.flatMap((it, at) => (isPartOfText(it) ? [] : [fileOf(it, at)]))
    return { ...fromHeaders(mail.headers), text: mail.text ?? '', html: mail.html ?? '', files, raw }
  } catch {
    return { ...(await readHeaders(raw, 'broken')), files: [{ name: 'mail.eml', content: raw }], raw }
  }
}

/** Reads the headers alone. */
export async function readHeaders(raw: Buffer, unread: Incoming['unread']): Promise<Incoming> {
  const start = raw.subarray(0, mostHeaders).toString('latin1')
  const [head = ''] = start.split(/\r?\n\r?\n/, 1)
  const its = await PostalMime.parse(Buffer.from(`${head}\r\n\r\n`, 'latin1'), limits).catch(() => ({ headers: [] }))
  return { ...fromHeaders(its.headers), text: '', html: '', files: [], ...(unread && { unread }) }
}

/** What the headers say. */
export function fromHeaders(all: { key: string; value: string }[]) {
  const headers = all.map(({ key, value }): Header => [key, clean(value)])
  const valuesOf = (...names: string[]) => headers.flatMap(([key, value]) => (names.includes(key) ? [value] : []))
  const mailboxes = (...names: string[]) => valuesOf(...names).flatMap(it => mailboxesIn(it))
  const [subject = ''] = valuesOf('subject')
  const [messageId = ''] = valuesOf('message-id')
  return {
    headers,
    from: mailboxes('from').map(it => ({ name: clean(it.name), address: it.address.toLowerCase() })),
    recipients: mailboxes(...recipientHeaders).map(it => it.address),
    subject: clean(decoded(subject)).slice(0, 300),
    messageId: messageId.replace(/[<>\s]/g, '').slice(0, 500),
  }
}

/** Those that name who a mail is for, and those in which servers say to whom they delivered it. */
const recipientHeaders = ['to', 'cc', 'bcc', 'delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to']

const mailboxesIn = (value: string): Mailbox[] =>
  addressParser(value.slice(0, 20_000), { flatten: true }).filter((it: Address): it is Mailbox => Boolean(it.address))

type Mailbox = Extract<Address, { address: string }>

/** Words in other alphabets (RFC 2047), read as the name of an address is. */
const decoded = (value: string) => (/=\?/.test(value) ? (mailboxName(value) ?? value) : value)

const mailboxName = (value: string) => {
  const [found] = addressParser(`"${value.replaceAll('"', '')}" <x@x.invalid>`, { flatten: true })
  return found?.name
}

/** Without what no text has: control characters, and halves of a character. */
export const clean = (text: string) => text.toWellFormed().replace(/(?![\n\t])\p{Cc}/gu, '')

/** Bytes of the largest picture that counts as a part of a signature. */
const smallPicture = 60_000

/** Pictures of a signature, and what signs the mail itself. */
function isPartOfText({ mimeType, disposition, contentId, related, content }: Attachment): boolean {
  if (/^application\/(pgp-signature|(x-)?pkcs7-signature)$/.test(mimeType)) return true
  const isShownInText = related || (disposition !== 'attachment' && contentId !== undefined)
  return Boolean(isShownInText) && mimeType.startsWith('image/') && bytesOf(content).length <= smallPicture
}

function fileOf({ filename, mimeType, content }: Attachment, at: number): IncomingFile {
  const fallback = mimeType === 'message/rfc822' ? `mail-${at + 1}.eml` : `file-${at + 1}`
  return { name: cleanFileName(filename || fallback), content: bytesOf(content) }
}

const bytesOf = (content: Attachment['content']): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : new Uint8Array(content)
