import type { Knex } from 'knex'
import { presentContacts } from '../../src/auth/departed-contacts.ts'
import { coreHostOf } from '../../src/auth/host.ts'
import { accountsOfSameHuman, suspendedSql } from '../../src/auth/identity.ts'
import { query, within } from '../../src/platform/database.ts'
import type { RepliesOptions } from '../../src/platform/replies.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import type { ReplyAddress } from './addresses.ts'
import type { Header, Incoming } from './incoming.ts'
import type { Why } from './why.ts'

/** Why this mail may not be of the person whose address it was sent to; undefined where it is. */
export async function senderDoubt(host: Host, mail: Incoming, of: ReplyAddress): Promise<Why | undefined> {
  const [from, ...others] = mail.from
  if (!from || others.length) return { sentence: 'The e-mail doesn’t say clearly who sent it.' }
  const { addresses, hasLeft } = await personOf(host, of)
  if (hasLeft) return { sentence: 'This person no longer has access to the portal.' }
  if (!addresses.includes(from.address))
    return {
      sentence: 'It came from {from}, which isn’t an address of {name}.',
      facts: { from: from.address, name: of.by.name },
    }
  if (await isConfirmed(mail, from.address, coreHostOf(host).replies)) return undefined
  return {
    sentence: 'The sender isn’t confirmed. Anyone can write {from} into an e-mail.',
    facts: { from: from.address },
  }
}

interface PersonOf {
  /** In lower case. */
  addresses: string[]
  /** They have no access to this client any more. */
  hasLeft: boolean
}

/** All addresses of the human: of each of their accounts, former ones too, and of their contacts in the CRM. */
async function personOf(host: Host, of: ReplyAddress): Promise<PersonOf> {
  const told = of.email.toLowerCase()
  // Staff are the CRM's; what they may do is said by whoever takes the reply.
  if (of.by.kind === 'staff') return { addresses: [told], hasLeft: false }
  const { workspaces, crm } = coreHostOf(host)
  const [known, workspace] = await Promise.all([
    within(host.database, { workspace: of.workspace.id }, tx => accountsFor(tx, of)),
    workspaces.find(of.workspace.slug),
  ])
  const contacts = known.contacts.filter(it => it !== null)
  if (!workspace || !known.contacts.length) return { addresses: [], hasLeft: true }
  const still = await presentContacts(crm.directory, workspace, of.client, contacts)
  const isHere = known.contacts.some(it => it === null || still.includes(it))
  const listed = contacts.length ? await crm.directory.contacts(workspace, of.client) : []
  const theirs = listed.filter(it => contacts.includes(it.id)).map(it => it.email)
  return { addresses: [...known.emails, ...theirs, told].map(it => it.toLowerCase()), hasLeft: !isHere }
}

/** The addresses of the human's accounts, and their contact at this client for each account with access to it. */
async function accountsFor(tx: Knex, { workspace, client, by }: ReplyAddress) {
  const accounts = await accountsOfSameHuman(tx, workspace.id, by.id)
  const [row] = await query<{ emails: string[]; contacts: (string | null)[] }>(tx, {
    name: 'portal.reply-person',
    text: `select
             array(select e.email from portal.client_emails e where e.workspace_id = $1 and e.person_id = any($2::uuid[])) as emails,
             array(select m.contact_id from portal.client_memberships m
                     join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
                   where m.workspace_id = $1 and m.client_id = $3 and m.person_id = any($2::uuid[])
                     and not ${suspendedSql}) as contacts`,
    values: [workspace.id, accounts, client],
  })
  return row!
}

/** Whether somebody who can know says that the mail is of this address. */
async function isConfirmed(mail: Incoming, from: string, replies: RepliesOptions | undefined): Promise<boolean> {
  if (mail.verdict !== undefined) return mail.verdict === 'pass'
  if (replies?.authserv) return passedAt(replies.authserv, mail.headers, from)
  return mail.raw ? isSigned(mail, mail.raw, from, replies?.resolve) : false
}

/**
 * Whether our own server has found that DMARC passes (RFC 8601, RFC 7489). It writes its results above all that came with
 * the mail, so only the first block of such headers counts.
 */
function passedAt(authserv: string, headers: Header[], from: string): boolean {
  const name = 'authentication-results'
  const first = headers.findIndex(([key, value]) => key === name && isOfServer(value, authserv))
  if (first < 0) return false
  const rest = headers.slice(first)
  const end = rest.findIndex(([key, value]) => key !== name || !isOfServer(value, authserv))
  const block = end < 0 ? rest : rest.slice(0, end)
  const result = block
    .flatMap(([, value]) => withoutComments(value).split(';').slice(1))
    .find(it => /^\s*dmarc\s*=/i.test(it))
  if (!result || !/^\s*dmarc\s*=\s*pass\b/i.test(result)) return false
  const [, domain] = /\bheader\.from\s*=\s*"?(?:[^\s"@;]*@)?([^\s";]+)/i.exec(result) ?? []
  return domain === undefined || domain.toLowerCase() === domainOf(from)
}

const isOfServer = (value: string, authserv: string) =>
  withoutComments(value).split(';')[0]?.trim().split(/\s+/)[0]?.toLowerCase() === authserv.toLowerCase()

/** Comments may be nested (RFC 5322, 3.2.2). */
function withoutComments(value: string): string {
  let depth = 0
  let text = ''
  for (const it of value) {
    if (it === '(') depth++
    else if (it === ')' && depth) depth--
    else if (!depth) text += it
  }
  return text
}

/** Whether the sender's domain has signed all of it (DKIM, RFC 6376), or sent it from its own server (SPF) under DMARC. */
async function isSigned(
  mail: Incoming,
  raw: Buffer,
  from: string,
  resolve: RepliesOptions['resolve'],
): Promise<boolean> {
  const { authenticate } = await import('mailauth')
  const { ip, helo, mailFrom: sender } = mail.envelope ?? {}
  const { dkim, dmarc } = await authenticate(raw, {
    ...{ ip, helo, sender, disableArc: true, disableBimi: true, rejectRsaSha1: true },
    ...(resolve && { resolver: resolve as never }),
  })
  // Another reader may find another sender in the same bytes: both must find this one.
  if (dkim.fromFields !== 1 || dkim.headerFrom.length !== 1 || dkim.headerFrom[0]?.toLowerCase() !== from) return false
  const isWhole = dkim.results.some(
    ({ status }) => status.result === 'pass' && status.aligned && !status.underSized && !status.testing,
  )
  if (isWhole) return true
  const cameDirectly = ip !== undefined && dmarc && dmarc.status.result === 'pass' && dmarc.alignment?.spf?.result
  return Boolean(cameDirectly)
}

const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1)
