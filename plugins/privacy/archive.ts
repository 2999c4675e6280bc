import { buffer } from 'node:stream/consumers'
import { zip } from 'fflate'
import type { Knex } from 'knex'
import type { CoreHost } from '../../src/auth/host.ts'
import { photoOf } from '../../src/auth/photos.ts'
import type { Customer, Ports } from '../../src/crm/crm.ts'
import { fileKey } from '../../src/files/receive.ts'
import type { Page } from '../../src/http/paging.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import { filesOf } from './files.ts'

/** Limits of a copy: records for each section, and bytes of all files. The copy says what was left out. */
const mostRecords = 5_000
const mostBytes = 50 * 1024 * 1024

interface Listing {
  list(filter: object): Promise<Page<{ id: string }>>
  find(id: string): Promise<Found>
  pdf?(id: string): Promise<{ bytes: Uint8Array } | undefined>
  attachment?(id: string, attachment: string): Promise<Uint8Array>
}

interface Found {
  number?: string
  attachments?: { id: string; name: string }[]
}

/** Where files are, and where they can be downloaded. */
type Place = Partial<Pick<CoreHost, 'address' | 'files'>>

/** Files by their names in the archive, and what is not among them. */
interface Pack {
  files: Record<string, Uint8Array>
  bytes: number
  left: string[]
}

/**
 * All that the portal has of one person, and what the CRM shows them, as a ZIP of JSON and of the files that belong to
 * it.
 */
export async function archive(
  { address, database, files, plugins }: Pick<CoreHost, 'database' | 'plugins'> & Place,
  customer: Customer,
  ports: Partial<Ports>,
  sections: string[],
): Promise<Buffer> {
  const pack: Pack = { files: {}, bytes: 0, left: [] }
  for (const [name, rows] of Object.entries(await own(database, customer))) json(pack, name, rows)
  for (const [name, rows] of Object.entries(await ofPlugins(database, customer, plugins))) json(pack, name, rows)
  // What a plugin without a section of its own keeps is in what it exports.
  const exported = plugins.filter(it => it.unlisted && it.privacy?.exports).map(it => it.name)
  for (const name of sections.filter(it => !exported.includes(it))) {
    const port = (ports as Record<string, Partial<Listing> | undefined>)[name]
    if (port?.list && port.find) await addSection(pack, name, port as Listing)
    else if (port) pack.left.push(name)
  }
  await addPhoto(pack, database, customer)
  await addOwnFiles(pack, { address, database, files }, customer)
  await addSigned(pack, database, customer, sections)
  if (pack.bytes >= mostBytes) pack.left.push(`files: more than ${mostBytes / 1024 / 1024} MB`)
  json(pack, 'about', {
    person: customer.person.email,
    company: customer.client.name,
    of: customer.workspace.name,
    madeAt: currentTime(database).toISOString(),
    leftOut: pack.left,
  })
  return new Promise((resolve, reject) =>
    zip(pack.files, { level: 6 }, (error, made) => (error ? reject(error) : resolve(Buffer.from(made)))),
  )
}

/** Of two that have the same name, the second gets a number: what a plugin keeps, and what its section lists. */
const json = (pack: Pack, name: string, it: unknown) => {
  pack.files[free(pack, `${name}.json`)] = Buffer.from(`${JSON.stringify(it, null, 2)}\n`)
}

/** Every record of a section, the CRM's own PDF of it, and what is attached to it. */
async function addSection(pack: Pack, name: string, port: Listing) {
  const records: object[] = []
  let after: string | undefined
  do {
    const page = await port.list({ sort: 'newest', size: 100, after })
    for (const { id } of page.items) {
      const record = await port.find(id)
      records.push(record)
      const path = `${name}/${plain(record.number ?? id)}`
      await addFile(pack, `${path}.pdf`, async () => (await port.pdf?.(id))?.bytes)
      for (const it of record.attachments ?? [])
        await addFile(pack, `${path}/${fileName(it.name)}`, async () => port.attachment?.(id, it.id))
    }
    after = page.next ?? undefined
  } while (after && records.length < mostRecords)
  if (after) pack.left.push(`${name}: more than the newest ${mostRecords}`)
  json(pack, name, records)
}

async function addPhoto(pack: Pack, database: Knex, { workspace, person }: Customer) {
  const scope = { workspace: workspace.id }
  const found = await within(database, scope, tx => photoOf(tx, scope, person.id))
  if (found) await addFile(pack, `photo.${found.type.slice('image/'.length)}`, async () => found.bytes)
}

/** What the person uploaded or attached for this client: a list, and the files that fit. All can be downloaded one by one. */
async function addOwnFiles(
  pack: Pack,
  { address = '', database, files }: Pick<CoreHost, 'database'> & Place,
  { workspace, client, person }: Customer,
) {
  if (!files) return
  const found = await filesOf(database, { workspace: workspace.id, person: person.id, clients: [client.id] })
  const page = `${address}/${workspace.slug}/account/data/files`
  json(
    pack,
    'files',
    found.map(it => ({ ...it, address: `${page}/${it.id}` })),
  )
  for (const { id, name, size } of found) {
    const path = `files/${fileName(name)}`
    if (pack.bytes + size > mostBytes) pack.left.push(`${path}: too large for this copy, see files.json`)
    else await addFile(pack, path, async () => buffer(await files.read(fileKey(workspace.id, id))))
  }
}

/** The sealed PDFs of what the person signed, and of what their company signed in the sections that they see. */
async function addSigned(pack: Pack, database: Knex, { workspace, client, person }: Customer, sections: string[]) {
  const scope = { workspace: workspace.id }
  const rows = await readWithin<{ id: string; number: string; version: number }>(database, scope, {
    text: `select s.id, s.number, s.version from portal.client_signatures s
           where s.workspace_id = scope.workspace and s.act = 'accepted' and s.state <> 'refused'
             and (s.person_id = $3 or (s.client_id = $4 and s.section = any($5)))
           order by s.sequence desc limit ${mostRecords}`,
    values: [person.id, client.id, sections],
  })
  for (const { id, number, version } of rows)
    await addFile(pack, `signed/${plain(number)}, version ${version}.pdf`, async () => {
      const [row] = await readWithin<{ bytes: Buffer | null }>(database, scope, {
        text: `select coalesce(s.sealed, s.document) as bytes from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.id = $3`,
        values: [id],
      })
      return row?.bytes ?? undefined
    })
}

/** Adds a file if it exists and fits. A file that cannot be read is listed as left out. */
async function addFile(pack: Pack, path: string, read: () => Promise<Uint8Array | undefined>) {
  if (pack.bytes >= mostBytes) return
  const bytes = await read().catch(() => null)
  if (bytes === null) pack.left.push(`${path}: it could not be read`)
  if (!bytes) return
  pack.bytes += bytes.length
  pack.files[free(pack, path)] = bytes
}

/** The same name with a number, where there is such a file already. */
function free({ files }: Pack, path: string): string {
  if (!(path in files)) return path
  const [, stem = path, ending = ''] = /^(.*?)(\.\w+)?$/.exec(path) ?? []
  for (let at = 2; ; at++) if (!(`${stem} (${at})${ending}` in files)) return `${stem} (${at})${ending}`
}

/** A name in an archive leads nowhere else. */
const plain = (name: string) => name.replace(/[^\p{L}\p{N} _,()-]+/gu, '-').slice(0, 80) || 'document'

/** The same, with the ending that says what it is. */
function fileName(name: string): string {
  const [ending = ''] = /\.[A-Za-z0-9]{1,8}$/.exec(name) ?? []
  return `${plain(name.slice(0, name.length - ending.length))}${ending}`
}

/** What plugins keep of a person, each in files of its own. */
const ofPlugins = (database: Knex, { workspace, person }: Customer, plugins: Section[]) =>
  within(database, { workspace: workspace.id }, async tx => {
    const files: Record<string, object[]> = {}
    for (const { privacy } of plugins)
      Object.assign(files, await privacy?.exports?.(tx, { workspace: workspace.id, person: person.id }))
    return files
  })

/** What the core stores about a person, without credentials. */
const own = (database: Knex, { workspace, person }: Customer) =>
  within(database, { workspace: workspace.id }, async tx => {
    const rows = (text: string) => query(tx, { text, values: [workspace.id, person.id] })
    const [account] = await rows(
      `select id, email, name, phone, language, time_zone, theme, created_at, suspended_at, coalesce(password_hash, '') <> '' as has_password
       from portal.client_users where workspace_id = $1 and id = $2`,
    )
    return {
      account,
      contact_changes: await rows(
        `select client_id, contact_id, field, value, changed_at from portal.client_contact_changes where workspace_id = $1 and person_id = $2 order by changed_at`,
      ),
      addresses: await rows(
        `select email, since from portal.client_emails where workspace_id = $1 and person_id = $2 order by since`,
      ),
      companies: await rows(
        `select client_id, client_name, role, created_at from portal.client_memberships where workspace_id = $1 and person_id = $2`,
      ),
      sessions: await rows(
        `select started_at, expire as ends_at from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid not like 'api.%' order by 1`,
      ),
      visits: await rows(
        `select first_at, last_at from portal.client_visits where workspace_id = $1 and person_id = $2`,
      ),
      tokens: await rows(
        `select kind, name, scopes, created_at, expires_at, used_at, used_from from portal.client_api_tokens
         where workspace_id = $1 and person_id = $2 order by created_at`,
      ),
      factors: await rows(
        `select kind, name, created_at, used_at from portal.client_factors
         where workspace_id = $1 and person_id = $2 and kind <> 'recovery' order by created_at`,
      ),
      signatures: await rows(
        `select sequence, state, evidence::jsonb as evidence from portal.client_signatures
         where workspace_id = $1 and person_id = $2 order by sequence`,
      ),
      settings: await rows(
        `select name, value, changed_at from portal.client_portal_settings where workspace_id = $1 and person_id = $2::text order by 1`,
      ),
      mails: await rows(
        `select kind, recipient, subject, created_at, sent_at from portal.client_outbox where workspace_id = $1 and person_id = $2 order by created_at`,
      ),
      activity: await rows(
        `select at, event, subject, address, agent from portal.client_activity_logs
         where workspace_id = $1 and actor_id = $2::text and actor_kind = 'client' order by id desc limit 100000`,
      ),
    }
  })
