import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { NoSpaceLeft } from '../../src/files/kept.ts'
import { unreachable, within } from '../../src/platform/database.ts'
import { StoreFull, StoreUnavailable } from '../../src/platform/files.ts'
import type { MailReply, Refusal } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { findAddresses, type ReplyAddress, renewAddress } from './addresses.ts'
import { automatic } from './automatic.ts'
import { discardFiles, keepHeldFiles, storeFiles } from './files.ts'
import type { Incoming } from './incoming.ts'
import { countOf, type Details, type Identity, knownMail, noteMail } from './mails.ts'
import { saidIn } from './said.ts'
import { senderDoubt } from './sender.ts'
import type { Why } from './why.ts'

/**
 * What became of a mail. It is stored when this is known, and may be acknowledged; but `off`: the portal is off for its
 * workspace, so that it has to come again.
 */
export type Outcome = 'taken' | 'held' | 'ignored' | 'duplicate' | 'unknown' | 'off'

/** Replies to one address within an hour; later ones are held. Held mails of one address whose files are kept. Characters of one. */
const most = { hour: 20, stored: 30, text: 20_000 }

/**
 * Takes a mail that arrived: into the conversation of its record, or held for staff where anything is doubtful. Throws
 * where the database or the file store does not answer: the mail has to come again.
 */
export async function receiveMail(host: Host, mail: Incoming): Promise<Outcome> {
  const [of, ...others] = await findAddresses(host, mail.recipients)
  if (!of) {
    host.log.info({ messageId: mail.messageId }, 'an e-mail came to no reply address that is known')
    return 'unknown'
  }
  if (!(await host.workspace(of.workspace.slug))) return 'off'
  const identity = await identityOf(host, mail, of)
  if (!identity) return 'duplicate'
  const sent = { of, mail, identity }
  const { sender, replies } = coreHostOf(host)
  const program = automatic(mail, { sender, replies: replies!.address })
  if (program) return ignore(host, sent, program)
  const doubt = others.length ? severalRecords : await doubtOf(host, sent)
  const reused = identity.reused ? sameId : undefined
  const outcome = await (doubt || reused ? hold(host, sent, (doubt || reused)!) : take(host, sent))
  coreHostOf(host).mailContext?.outbox.wake()
  host.jobs.wake()
  return outcome
}

/** A mail, to whom it was sent, and how it is known. */
interface Sent {
  of: ReplyAddress
  mail: Incoming
  identity: Identity
}

const severalRecords: Why = { sentence: 'It was sent to more than one conversation.' }
const sameId: Why = { sentence: 'An earlier e-mail had the same Message-ID and said something else.' }

/** Undefined for one that is here already. One that says something else under the Message-ID of another is another one. */
async function identityOf(
  host: Host,
  mail: Incoming,
  of: ReplyAddress,
): Promise<(Identity & { reused: boolean }) | undefined> {
  const content = contentHash(mail)
  const ids = [mail.messageId || content.toString('hex'), `${mail.messageId} ${content.toString('hex')}`]
  for (const [at, id] of ids.entries()) {
    const key = uuidOf(JSON.stringify([of.workspace.id, of.token, id]))
    const known = await knownMail(host.database, of.workspace.id, key)
    if (!known) return { key, content, reused: at > 0 }
    if (known.content.equals(content)) return undefined
  }
  return undefined
}

function contentHash({ from, subject, text, html, files }: Incoming): Buffer {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([from.map(it => it.address), subject, text, html, files.map(it => it.name)]))
  for (const it of files) hash.update(it.content)
  return hash.digest()
}

/** A UUID from a text, as version 8 of RFC 9562. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function doubtOf(host: Host, { of, mail }: Sent): Promise<Why | undefined> {
  if (mail.unread === 'large') return { sentence: 'The e-mail is too large. Ask for the files in another way.' }
  if (mail.unread === 'broken') return { sentence: 'The e-mail is damaged and couldn’t be read.' }
  const doubt = await senderDoubt(host, mail, of)
  if (doubt) return doubt
  const text = saidIn(mail)
  if (!text && !mail.files.length) return { sentence: 'It has no text of its own.' }
  if (text.length > most.text) return { sentence: 'The text is very long.' }
  const { hour } = await within(host.database, { workspace: of.workspace.id }, tx =>
    countOf(tx, of.workspace.id, of.token),
  )
  if (hour >= most.hour)
    return {
      sentence: 'More than {count} replies from {name} came within an hour.',
      facts: { count: most.hour, name: of.by.name },
    }
  return undefined
}

async function ignore(host: Host, { of, mail, identity }: Sent, why: Why): Promise<Outcome> {
  const { id: workspace } = of.workspace
  const isNew = await within(host.database, { workspace }, tx =>
    noteMail(tx, { ...identity, of, mail, state: 'ignored', why }),
  )
  return isNew ? 'ignored' : 'duplicate'
}

/** Into the conversation, or held if that is refused. */
async function take(host: Host, sent: Sent): Promise<Outcome> {
  const { of, mail, identity } = sent
  const { id: workspace } = of.workspace
  const { files, refused } = await storeFiles(host, workspace, mail.files)
  if (refused.length) {
    await discardFiles(host, workspace, files)
    return hold(host, sent, filesRefused(refused))
  }
  const reply: MailReply = { ...replyTo(of), text: saidIn(mail), files, key: identity.key }
  const done = await handOver(host, reply, of.kind, async tx => {
    const isNew = await noteMail(tx, { ...identity, of, mail, state: 'taken' })
    if (isNew) await renewAddress(tx, workspace, of.token)
    return isNew
  })
  if (typeof done === 'string') return done
  return hold(host, sent, done)
}

const filesRefused = (names: string[]): Why => ({
  sentence: 'It has files that aren’t accepted here: {files}.',
  facts: { files: names.join(', ').slice(0, 300) },
})

/** Who replies to what. */
export const replyTo = ({ workspace, client, by, id }: ReplyAddress) => ({ workspace, client, by, id })

class Refused extends Error {
  why: Why
  constructor(why: Why) {
    super(why.sentence)
    this.why = why
  }
}

class Known extends Error {}

/**
 * Gives a reply to the plugin of its record, in one transaction with `note`, which says whether it is still to be done.
 * Of what is not taken nothing is left; says why.
 */
export async function handOver(
  host: Host,
  reply: MailReply,
  kind: string,
  note: (tx: Knex.Transaction) => Promise<boolean>,
): Promise<'taken' | 'duplicate' | Why> {
  const replies = host.plugins.find(it => it.name === kind)?.replies
  try {
    await handOvers.run(() =>
      within(host.database, { workspace: reply.workspace.id }, async tx => {
        if (!(await note(tx))) throw new Known()
        const result = replies ? await replies.take(tx, reply, host) : 'gone'
        if (result !== 'taken') throw new Refused(refusals[result])
      }),
    )
    return 'taken'
  } catch (error) {
    if (isTemporary(error)) throw error
    await discardFiles(host, reply.workspace.id, reply.files)
    if (error instanceof Known) return 'duplicate'
    if (error instanceof Refused) return error.why
    if (error instanceof NoSpaceLeft) return refusals['no-space']
    host.log.error({ err: error, kind }, 'a reply by e-mail could not be taken')
    return { sentence: 'It couldn’t be added to the conversation because of an error on our end.' }
  }
}

/**
 * Replies that one process hands over at once. Whoever takes one may need a connection beside that of the transaction:
 * with as many transactions as connections, all would wait for one another.
 */
const handOvers = fewAtOnce(2)

function fewAtOnce(most: number) {
  const waiting: (() => void)[] = []
  let free = most
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (free) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free++
      }
    },
  }
}

/** A file may be known to a transaction whose commit was not heard of: it stays, and is swept up where it is not. */
const isTemporary = (error: unknown) =>
  unreachable(error) || error instanceof StoreUnavailable || error instanceof StoreFull

const refusals: Record<Refusal, Why> = {
  gone: { sentence: 'The conversation no longer exists.' },
  'not-allowed': { sentence: 'This person may not write in this conversation.' },
  'no-space': { sentence: 'There isn’t enough space left for the attached files.' },
  'too-many': { sentence: 'This person has written too often in a short time.' },
}

/** Keeps a mail for staff, with its files if there is room for them. */
async function hold(host: Host, { of, mail, identity }: Sent, why: Why): Promise<Outcome> {
  const { id: workspace } = of.workspace
  const scope = { workspace }
  const { stored: before } = await within(host.database, scope, tx => countOf(tx, workspace, of.token))
  const isRoom = mail.files.length > 0 && before < most.stored
  const stored = isRoom && (await keepHeldFiles(host, workspace, identity.key, mail.files))
  const text = saidIn(mail).slice(0, most.text)
  const isNew = await within(host.database, scope, tx =>
    noteMail(tx, { ...identity, of, mail, state: 'held', why, text, details: detailsOf(mail), stored }),
  )
  return isNew ? 'held' : 'duplicate'
}

/** Headers that help to judge a mail. */
const telling = [
  'from',
  'to',
  'reply-to',
  'return-path',
  'date',
  'message-id',
  'authentication-results',
  'received-spf',
]

const detailsOf = ({ headers, files }: Incoming): Details => ({
  headers: headers
    .filter(([name]) => telling.includes(name))
    .slice(0, 20)
    .map(([name, value]) => [name, value.slice(0, 500)]),
  files: files.slice(0, 50).map(it => it.name),
})
