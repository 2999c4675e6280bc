import { setTimeout as after } from 'node:timers/promises'
import type { FetchMessageObject, ImapFlow } from 'imapflow'
import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type Incoming, largestMail, mostHeaders, readHeaders, readMail } from './incoming.ts'
import { receiveMail } from './receiving.ts'

/** Mails that are read in one go, and seconds that it may take: a job is lost after 15 minutes. */
const most = { mails: 500, seconds: 600 }

/** Seconds between two looks of one process, and until a mail is tried again. */
const pause = { looks: 30, mail: 300 }

/** Where mails go that came to no address that is known. */
const unknownFolder = 'Portico-unknown'

/** What a process remembers of its mailbox. */
interface Mailbox {
  looked: number | undefined
  /** When mails that could not be taken are tried again, by their number. */
  later: Map<number, number>
}

const mailboxes = new WeakMap<Host, Mailbox>()

/** Reads the mailbox unless this process has just done so: each workspace's job asks for it. */
export async function readMailboxInTurn(host: Host): Promise<void> {
  const { looked } = mailboxOf(host)
  if (looked === undefined || performance.now() > looked + pause.looks * 1_000) await readMailbox(host)
}

/**
 * Reads what is new in the mailbox. One process at a time does: the others leave it to that one. A mail is marked as seen
 * when it is stored, so that one is read again whose process ended in the middle.
 */
export async function readMailbox(host: Host): Promise<void> {
  const { replies, database } = coreHostOf(host)
  if (!replies?.imap) return
  const mailbox = mailboxOf(host)
  mailbox.looked = performance.now()
  await alone(database, () => readNew(host, replies.imap!, mailbox))
}

function mailboxOf(host: Host): Mailbox {
  const mailbox = mailboxes.get(host) ?? { looked: undefined, later: new Map() }
  mailboxes.set(host, mailbox)
  return mailbox
}

/** Does it unless another process is at it. */
const alone = (database: Knex, work: () => Promise<void>) =>
  database.transaction(async tx => {
    const [row] = await query<{ free: boolean }>(tx, {
      text: `select pg_try_advisory_xact_lock(hashtextextended('portal.mail-replies', 0)) as free`,
    })
    if (row?.free) await work()
  })

async function readNew(host: Host, address: string, mailbox: Mailbox): Promise<void> {
  const { client, path } = await connectMailbox(address)
  const end = performance.now() + most.seconds * 1_000
  try {
    await client.mailboxOpen(path)
    const found = (await client.search({ seen: false }, { uid: true })) || []
    forget(mailbox.later, found)
    const due = found.filter(it => (mailbox.later.get(it) ?? 0) < performance.now())
    for (const uid of due.slice(0, most.mails)) {
      if (performance.now() > end) break
      await takeOne(host, client, uid, mailbox)
    }
    await client.logout()
  } finally {
    client.close()
  }
}

/** Forgets mails that are not there any more. */
function forget(later: Map<number, number>, found: number[]) {
  const still = new Set(found)
  for (const uid of later.keys()) if (!still.has(uid)) later.delete(uid)
}

/** A mail that cannot be taken now does not stop the others. */
async function takeOne(host: Host, client: ImapFlow, uid: number, { later }: Mailbox): Promise<void> {
  try {
    const mail = await fetchMail(client, uid)
    const outcome = mail ? await receiveMail(host, mail) : undefined
    if (outcome === 'off') later.set(uid, performance.now() + pause.mail * 1_000)
    else if (outcome === 'unknown') await setAside(client, uid)
    else if (outcome) await client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true })
  } catch (err) {
    if (!client.usable) throw err
    host.log.error({ err, uid }, 'an e-mail could not be taken; it is tried again')
    later.set(uid, performance.now() + pause.mail * 1_000)
  }
}

/** Its size is asked for first. */
async function fetchMail(client: ImapFlow, uid: number): Promise<Incoming | undefined> {
  const about = await client.fetchOne(String(uid), { size: true }, { uid: true })
  if (!about) return undefined
  const isLarge = (about.size ?? 0) > largestMail
  const source = isLarge ? { maxLength: mostHeaders } : true
  const found: FetchMessageObject | false = await client.fetchOne(String(uid), { source }, { uid: true })
  if (!found || found.source === undefined) return undefined
  return isLarge ? readHeaders(found.source, 'large') : readMail(found.source)
}

/** Mails for nobody stay in the mailbox, in a folder of their own where the server has folders. */
async function setAside(client: ImapFlow, uid: number): Promise<void> {
  await client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true })
  const moved = await client.messageMove(String(uid), unknownFolder, { uid: true }).catch(() => false)
  if (moved) return
  await client.mailboxCreate(unknownFolder).catch(() => undefined)
  await client.messageMove(String(uid), unknownFolder, { uid: true }).catch(() => undefined)
}

/** Connects to `imaps://user:password@host/FOLDER`. Throws with the server's reason. */
async function connectMailbox(address: string): Promise<{ client: ImapFlow; path: string }> {
  const { ImapFlow } = await import('imapflow')
  const { protocol, hostname, port, username, password, pathname } = new URL(address)
  const secure = protocol === 'imaps:'
  const client = new ImapFlow({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 993 : 143),
    secure,
    auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    logger: false,
    ...{ connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 60_000 },
  })
  // What fails later is thrown by what is under way then.
  client.on('error', () => undefined)
  await client.connect().catch(error => {
    client.close()
    throw new Error(error.responseText || error.message)
  })
  return { client, path: decodeURIComponent(pathname.slice(1)) || 'INBOX' }
}

/** Why the mailbox cannot be read, in the server's words; undefined where it can. */
export async function mailboxFault(address: string): Promise<string | undefined> {
  const limit = new AbortController()
  try {
    const opening = connectMailbox(address).then(async ({ client, path }) => {
      await client.mailboxOpen(path, { readOnly: true })
      await client.logout()
    })
    const late = after(20_000, undefined, { signal: limit.signal }).then(() => {
      throw new Error('It does not answer')
    })
    await Promise.race([opening, late])
    return undefined
  } catch (error: any) {
    return error.responseText || error.message
  } finally {
    limit.abort()
  }
}
