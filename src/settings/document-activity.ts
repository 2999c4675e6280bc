import type { Knex } from 'knex'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm } from '../crm/crm.ts'
import type { Workspaces } from '../crm/workspaces.ts'
import { standingInCrm } from '../evidence/standing.ts'
import { render } from '../http/render.ts'
import { currentTime } from '../platform/clock.ts'
import { readWithin } from '../platform/database.ts'
import type { Flags } from '../platform/flags.ts'
import { dateIn, type Speech, speak, zoneOf } from '../platform/i18n.ts'
import type { CapabilityOf } from '../plugin/capabilities.ts'
import type { Section } from '../plugin/plugin.ts'
import { sentencesOf } from '../plugin/sentences.ts'

/** A document of the CRM. `client` is the client that it belongs to. */
export interface DocumentActivityQuery {
  workspace: { id: string; slug: string }
  client: string
  section: string
  id: string
  /** Where the settings area is mounted; `/settings/client-portal` if omitted. */
  settings?: string
  /** BCP 47; English if omitted. */
  locale?: string
  /** IANA name; the workspace's if omitted. */
  timeZone?: string
}

/** What one person did with a document: the first and last time, and how often. */
export interface ActivitySummary {
  event: string
  name: string | null
  /** Whether it happened by a public link, where `name` may be null. */
  byLink: boolean
  first: Date
  last: Date
  times: number
}

/**
 * What clients did with a document: summaries, whether it changed since it was signed, and the HTML for the CRM's
 * own page.
 */
export interface DocumentActivity {
  summaries: ActivitySummary[]
  /** Whether the document in the CRM differs from what a client has signed. */
  changed: boolean
  /** An HTML fragment without styles or scripts; empty if there is no activity or the portal is off. */
  html: string
}

/**
 * Returns the document activity for the CRM's own page of a document: who viewed, asked, accepted and countersigned.
 */
export function documentActivity({ capability, crm, database, activation, flags, workspaces, sections }: Parts) {
  const sentences = sentencesOf(sections)
  return async (which: DocumentActivityQuery): Promise<DocumentActivity> => {
    const { workspace, client, section, id, locale = 'en-GB' } = which
    const { settings = '/settings/client-portal' } = which
    if (!flags.enabled(workspace.slug) || !(await activation.isAccepted()))
      return { summaries: [], changed: false, html: '' }
    const rows = await readWithin<ActivitySummary & { subject: Record<string, string> }>(
      database,
      { workspace: workspace.id },
      {
        name: 'portal.beside',
        text: `select l.event, l.actor_name as name, l.actor_kind = 'link' as "byLink", min(l.at) as first, max(l.at) as last, count(*)::int as times,
                 (array_agg(l.subject order by l.id desc))[1] as subject
               from portal.client_activity_logs l
               where l.workspace_id = scope.workspace and l.client_id = $3 and l.subject_id = $4 and l.event like $5
               group by l.event, l.actor_name, 3 order by max(l.at) desc limit 50`,
        values: [client, id, `${section}.%`],
      },
    )
    const timeZone = which.timeZone ?? (await workspaces.find(workspace.slug).catch(() => undefined))?.timeZone ?? ''
    const speech = speak(`${locale}|${zoneOf(timeZone)}`)
    const told = rows.map(({ subject, ...it }) => ({
      ...it,
      words: sentences[it.event] ? speech.sentence(sentences[it.event]!, subject) : it.event,
    }))
    const page = await capability('links')?.page({ workspace: workspace.id, client, kind: section, id })
    const link = page && settings + page
    const changed = told.some(it => it.event === `${section}.accepted`) && (await changedSince(which, speech))
    const html = rows.length || link ? render('document-activity', { ...speech, told, link, changed }) : ''
    return { summaries: rows.map(({ subject, ...it }) => it), changed, html }
  }

  async function changedSince(
    { workspace: { id, slug }, client, section, id: document }: DocumentActivityQuery,
    speech: Speech,
  ) {
    const [row] = await readWithin<{ evidence: string }>(
      database,
      { workspace: id },
      {
        name: 'portal.beside-signed',
        text: `select s.evidence from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.client_id = $3 and s.section = $4 and s.document_id = $5
                 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null order by s.sequence desc limit 1`,
        values: [client, section, document],
      },
    )
    const workspace = row && (await workspaces.find(slug))
    if (!row || !workspace) return false
    const today = dateIn(zoneOf(workspace.timeZone), currentTime(database))
    return (await standingInCrm(row.evidence, { crm, activation, sections, workspace, today }, speech)) === 'changed'
  }
}

interface Parts {
  capability: CapabilityOf
  crm: Crm
  database: Knex
  activation: Pick<Activation, 'isAccepted' | 'availablePorts'>
  flags: Flags
  workspaces: Workspaces
  sections: Section[]
}
