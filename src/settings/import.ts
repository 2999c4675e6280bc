import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { sendInvitation } from '../auth/invitation-sender.ts'
import { invite } from '../auth/invitations.ts'
import { type MailContext, withMail } from '../auth/mail-context.ts'
import { nameProblem } from '../auth/names.ts'
import { portalOffFor } from '../auth/portal-switch.ts'
import { roleName } from '../auth/roles.ts'
import { type Client, type Contact, type Crm, type Role, roles } from '../crm/crm.ts'
import { type CsvRow, csvRows, csvText } from '../platform/csv.ts'
import { query, within } from '../platform/database.ts'
import type { Speech } from '../platform/i18n.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
}

/** The maximum of lines in a file: nobody can check more before sending. */
const most = 1_000

interface Line {
  line: number
  name: string
  email: string
  wanted: string
  role: Role
  client?: Client
  contact?: Contact | undefined
  /** Why this line cannot be invited, as a sentence that says what to do. */
  wrong?: string
  /** Why no invitation is needed. */
  needless?: string
}

/** Invites people by a spreadsheet file. Shows what each line would do, and sends nothing before it is confirmed. */
export const showImport =
  ({ crm, database }: Parts): RequestHandler =>
  async (req, res) => {
    const text = await textIn(req)
    const { lines, over } = await linesOf(crm, req, text)
    if (lines.length)
      await within(database, { workspace: req.portal.workspace.id }, tx =>
        findKnown(tx, req.portal.workspace.id, lines),
      )
    res.respond('settings/import', {
      ...{ text, over, most },
      wrong: lines.filter(it => it.wrong),
      needless: lines.filter(it => it.needless),
      good: lines.filter(isGood),
    })
  }

/** Checks every line again: of two concurrent confirmations, one invites. Invites all or none. */
export const saveImport =
  ({ crm, database, mailContext }: Parts): RequestHandler =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const invitedBy = staff?.name ?? workspace.name
    const { lines } = await linesOf(crm, req, await textIn(req))
    const work = async (tx: Knex) => {
      await query(tx, {
        text: `select pg_advisory_xact_lock(hashtext('portico import'), hashtext($1))`,
        values: [workspace.id],
      })
      await findKnown(tx, workspace.id, lines)
      const links: { email: string; link: string; client: string }[] = []
      for (const { email, name, role, client, contact } of lines.filter(isGood)) {
        const it = { email, name, client, contact: contact?.id ?? null, role, invitedBy }
        const token = await invite(tx, workspace.id, it, req)
        links.push({ email, link: `/invitation/${token}`, client: client.name })
        if (mailContext)
          await sendInvitation(mailContext, req, tx, {
            ...{ email, name, invitedBy, client: client.name, token },
            ...(contact?.language ? { language: contact.language } : {}),
          })
      }
      return links
    }
    const links = await (mailContext
      ? withMail(mailContext, req, work)
      : within(database, { workspace: workspace.id }, work))
    if (mailContext || !links.length)
      return res.redirect(303, req.portal.url(links.length ? '/people?done=invited' : '/people/import'))
    res.respond('settings/invited', { links })
  }

const isGood = (it: Line): it is Line & { client: Client } => !it.wrong && !it.needless

/** Returns the file's text, or else the text that was typed or shown before. */
async function textIn(req: Request): Promise<string> {
  const { file, text } = Object(req.portal.body)
  if (file instanceof File && file.size) return csvText(new Uint8Array(await file.arrayBuffer()))
  return typeof text === 'string' ? text : ''
}

async function linesOf(crm: Crm, req: Request, text: string): Promise<{ lines: Line[]; over: number }> {
  const rows = csvRows(text)
  const columns = columnsOf(rows[0])
  const people = columns ? rows.slice(1) : rows
  const lines = people.slice(0, most).map(it => lineOf(req, it, columns ?? order))
  const firsts = new Map<string, number>()
  for (const it of lines) {
    const key = JSON.stringify([it.email, it.wanted.toLowerCase()])
    const first = firsts.get(key)
    if (first === undefined) firsts.set(key, it.line)
    else if (!it.wrong) it.needless = req.portal.t('The same as line {line}.', { line: first })
  }
  await findClients(crm, req, lines)
  return { lines, over: Math.max(0, people.length - most) }
}

const order = ['name', 'email', 'client', 'role'] as const
type Column = (typeof order)[number]
type Columns = readonly (Column | undefined)[]

const headings: Record<Column, string[]> = {
  name: ['name', 'full name', 'nombre'],
  email: ['email', 'e-mail', 'mail', 'e-mail address', 'email address', 'correo', 'correo electrónico'],
  client: ['client', 'customer', 'company', 'cliente', 'empresa'],
  role: ['role', 'rol'],
}

/**
 * Returns the columns of a header row. Undefined if the first line is a person: then they are name, e-mail, client,
 * role.
 */
function columnsOf(row: CsvRow | undefined): Columns | undefined {
  const found = row?.cells.map(cell => order.find(it => headings[it].includes(cell.toLowerCase())))
  return found?.includes('email') ? found : undefined
}

function lineOf(req: Request, { line, cells }: CsvRow, columns: Columns): Line {
  const { t } = req.portal
  const cell = (name: Column) => cells[columns.indexOf(name)]?.normalize('NFC') ?? ''
  const [name, email, wanted] = [cell('name'), cell('email').toLowerCase(), cell('client')]
  const called = cell('role').toLowerCase()
  const role = called ? roles.find(it => it === called || roleName(req.portal, it).toLowerCase() === called) : 'member'
  const wrong = wrongIn({ name, email, wanted }, t) ?? (role ? undefined : wrongRole(req, called))
  return { line, name, email, wanted, role: role ?? 'member', ...(wrong ? { wrong } : {}) }
}

/** Returns what is wrong with a line, as a sentence that says what to do. */
function wrongIn({ name, email, wanted }: { name: string; email: string; wanted: string }, t: Speech['t']) {
  if (!name) return t('The name is missing. Write it in the first column, or under "name".')
  if (name.length > 200) return t('The name is too long. Use at most 200 characters.')
  const formula = [name, wanted].find(it => /^[=+\-@]/.test(it))
  if (formula)
    return t('{text} begins like a formula. Write it without the first sign.', { text: formula.slice(0, 40) })
  const problem = nameProblem(name)
  if (problem) return t(problem)
  if (!email) return t('The e-mail address is missing.')
  if (!z.email().max(320).safeParse(email).success)
    return t('{text} is not a valid e-mail address. Use one like jo@example.com.', { text: email.slice(0, 80) })
  return wanted ? undefined : t('The client is missing. Write its name or number as the CRM has it.')
}

const wrongRole = ({ portal }: Request, called: string) =>
  portal.t('There is no role {text}. Write one of: {roles}.', {
    text: called.slice(0, 40),
    roles: roles.map(it => roleName(portal, it)).join(', '),
  })

/** Looks up each client once, eight at a time. */
async function findClients(crm: Crm, req: Request, lines: Line[]) {
  const { workspace, t } = req.portal
  const { directory } = crm
  const wanted = [...new Set(lines.filter(isOpen).map(it => it.wanted))]
  const find = async (text: string) => {
    const [byId, like = []] = await Promise.all([
      directory.client(workspace, text),
      directory.clients?.(workspace, text),
    ])
    const exact = like.filter(it => it.name.toLowerCase() === text.toLowerCase())
    const found = new Map([...(byId ? [byId] : []), ...(exact.length ? exact : like)].map(it => [it.id, it]))
    const [client] = found.values()
    return {
      found: [...found.values()],
      contacts: found.size === 1 && client ? await directory.contacts(workspace, client.id) : [],
    }
  }
  const clients = new Map<string, Awaited<ReturnType<typeof find>>>()
  for (let at = 0; at < wanted.length; at += 8)
    await Promise.all(wanted.slice(at, at + 8).map(async it => clients.set(it, await find(it))))

  for (const it of lines.filter(isOpen)) {
    const { found = [], contacts = [] } = clients.get(it.wanted) ?? {}
    if (found.length === 1 && found[0]) {
      it.client = found[0]
      it.contact = contacts.find(one => one.email.toLowerCase() === it.email)
    } else
      it.wrong = found.length
        ? t('Several clients fit {text}. Write one’s whole name, or its number.', { text: it.wanted.slice(0, 80) })
        : t('The CRM has no client {text}. Write its name or number as the CRM has it.', {
            text: it.wanted.slice(0, 80),
          })
  }
}

const isOpen = (it: Line) => !it.wrong && !it.needless

/** Marks people who are members already, or were invited. */
async function findKnown(tx: Knex, workspace: string, lines: Line[]) {
  const off = new Set(await portalOffFor(tx, workspace, [...new Set(lines.filter(isGood).map(it => it.client.id))]))
  for (const it of lines.filter(isGood))
    if (off.has(it.client.id)) it.needless = 'The portal is switched off for this client.'
  const good = lines.filter(isGood)
  const known = await query<{ at: number; here: boolean }>(tx, {
    text: `select it.at::int - 1 as at, m.person_id is not null as here
           from unnest($2::text[], $3::text[]) with ordinality as it (email, client, at)
           left join portal.client_users u on u.workspace_id = $1 and u.email = it.email
           left join portal.client_memberships m
             on m.workspace_id = $1 and m.person_id = u.id and m.client_id = it.client
           where m.person_id is not null or exists (
             select from portal.client_invitations i
             where i.workspace_id = $1 and i.email = it.email and i.client_id = it.client
               and i.used_at is null and i.revoked_at is null and i.expires_at > portal.now())`,
    values: [workspace, good.map(it => it.email), good.map(it => it.client.id)],
  })
  for (const { at, here } of known) {
    const it = good[at]
    if (it) it.needless = here ? 'Already has access.' : 'Already invited; the link is still valid.'
  }
}
