import { zip } from 'fflate'
import type { Knex } from 'knex'
import { currentTime } from '../clock.ts'
import type { Customer, Ports } from '../crm.ts'
import { query, within } from '../database.ts'
import type { Page } from '../page.ts'

/** Of each section so many records, and of all files so many bytes, before the rest is left out and said to be. */
const mostRecords = 5_000
const mostBytes = 50 * 1024 * 1024

interface Listing {
  list(filter: object): Promise<Page<{ id: string }>>
  find(id: string): Promise<{ number?: string }>
  pdf?(id: string): Promise<{ bytes: Uint8Array } | undefined>
}

/** All that the portal has of one person, and what the CRM shows them, as a ZIP of JSON and of the CRM's own files. */
export async function archive(
  database: Knex,
  customer: Customer,
  ports: Partial<Ports>,
  sections: string[],
): Promise<Buffer> {
  const files: Record<string, Uint8Array> = {}
  const left: string[] = []
  const json = (name: string, it: unknown) => {
    files[name] = Buffer.from(`${JSON.stringify(it, null, 2)}\n`)
  }
  for (const [name, rows] of Object.entries(await own(database, customer))) json(`${name}.json`, rows)
  let bytes = 0
  for (const name of sections) {
    const port = (ports as Record<string, Listing | undefined>)[name]
    if (!port) continue
    const records: object[] = []
    let after: string | undefined
    do {
      const page = await port.list({ sort: 'newest', size: 100, after })
      for (const { id } of page.items) {
        const record = await port.find(id)
        records.push(record)
        const file = bytes < mostBytes ? await port.pdf?.(id).catch(() => undefined) : undefined
        if (!file) continue
        bytes += file.bytes.length
        files[`${name}/${plain(record.number ?? id)}.pdf`] = file.bytes
      }
      after = page.next ?? undefined
    } while (after && records.length < mostRecords)
    if (after) left.push(`${name}: more than the newest ${mostRecords}`)
    json(`${name}.json`, records)
  }
  if (bytes >= mostBytes) left.push(`files: more than ${mostBytes / 1024 / 1024} MB`)
  json('about.json', {
    person: customer.person.email,
    company: customer.client.name,
    of: customer.workspace.name,
    madeAt: currentTime(database).toISOString(),
    leftOut: left,
  })
  return new Promise((resolve, reject) =>
    zip(files, { level: 6 }, (error, made) => (error ? reject(error) : resolve(Buffer.from(made)))),
  )
}

/** A name in an archive leads nowhere else. */
const plain = (name: string) => name.replace(/[^\p{L}\p{N} _-]+/gu, '-').slice(0, 80) || 'document'

/** What the portal itself keeps of a person, without what would let somebody in. */
const own = (database: Knex, { workspace, person }: Customer) =>
  within(database, { workspace: workspace.id }, async tx => {
    const rows = (text: string) => query(tx, { text, values: [workspace.id, person.id] })
    const [account] = await rows(
      `select id, email, name, language, time_zone, theme, reminders, created_at, suspended_at, password_hash is not null as has_password
       from portal.client_users where workspace_id = $1 and id = $2`,
    )
    return {
      account,
      addresses: await rows(
        `select email, since from portal.client_emails where workspace_id = $1 and person_id = $2 order by since`,
      ),
      companies: await rows(
        `select client_id, client_name, role, created_at from portal.client_memberships where workspace_id = $1 and person_id = $2`,
      ),
      sessions: await rows(
        `select started_at, expire as ends_at from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid not like 'api.%' order by 1`,
      ),
      tokens: await rows(
        `select kind, name, scopes, created_at, expires_at, used_at, used_from from portal.client_api_tokens
         where workspace_id = $1 and person_id = $2 order by created_at`,
      ),
      factors: await rows(
        `select kind, name, created_at, used_at from portal.client_factors
         where workspace_id = $1 and person_id = $2 and kind <> 'recovery' order by created_at`,
      ),
      questions: await rows(
        `select at, section, number, line_title as line, text from portal.client_comments
         where workspace_id = $1 and author_id = $2::text and author_kind = 'client' order by id`,
      ),
      signatures: await rows(
        `select link, state, evidence::jsonb as evidence from portal.client_signatures
         where workspace_id = $1 and person_id = $2 order by link`,
      ),
      settings: await rows(
        `select name, value, changed_at from portal.client_portal_settings where workspace_id = $1 and person_id = $2::text order by 1`,
      ),
      reminders: await rows(
        `select section, document_id, version, moment, at from portal.client_reminders where workspace_id = $1 and person_id = $2 order by at`,
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
