import type { Knex } from 'knex'
import type { Workspaces } from '../branding/workspaces.ts'
import { currentTime } from '../clock.ts'
import type { Crm } from '../crm.ts'
import { readWithin } from '../database.ts'
import type { Flags } from '../flags.ts'
import type { Gate } from '../gate/gate.ts'
import { dateIn, type Speech, speak, zoneOf } from '../language.ts'
import { switchesOf } from '../links/store.ts'
import { standOf } from '../offer/since-signed.ts'
import { render } from '../render.ts'
import type { Section } from '../section.ts'
import { sentencesOf } from '../sentences.ts'
import { resolve, togglesOf } from '../settings/toggles.ts'

/** Which document of the CRM: `client` is whose it is. */
export interface Which {
  workspace: { id: string; slug: string }
  client: string
  section: string
  id: string
  /** Where the settings area is mounted; `/settings/client-portal` if not given. */
  settings?: string
  /** BCP 47; English if not given. */
  locale?: string
  /** IANA name; the workspace's if not given. */
  timeZone?: string
}

/** What a person did with it, the first and the last time, and how often. */
export interface Deed {
  event: string
  name: string | null
  /** Whether it was by a public link, where `name` may be nobody's. */
  byLink: boolean
  first: Date
  last: Date
  times: number
}

export interface Beside {
  deeds: Deed[]
  /** Whether the CRM holds something else of it now than a client has signed. */
  changed: boolean
  /** An HTML fragment without styles or scripts; empty where there is nothing to tell, or the portal is off. */
  html: string
}

/** For the CRM's own page of a proposal: who looked at it, asked, accepted, and what was countersigned. */
export function beside({ crm, database, door, flags, places, sections }: Parts) {
  const sentences = sentencesOf(sections)
  const toggles = togglesOf(sections)
  return async (which: Which): Promise<Beside> => {
    const { workspace, client, section, id, locale = 'en-GB' } = which
    const { settings = '/settings/client-portal' } = which
    if (!flags.enabled(workspace.slug) || !(await door.opened())) return { deeds: [], changed: false, html: '' }
    const rows = await readWithin<Deed & { subject: Record<string, string> }>(
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
    const timeZone = which.timeZone ?? (await places.find(workspace.slug).catch(() => undefined))?.timeZone ?? ''
    const speech = speak(`${locale}|${zoneOf(timeZone)}`)
    const told = rows.map(({ subject, ...it }) => ({
      ...it,
      words: sentences[it.event] ? speech.t(sentences[it.event]!, subject) : it.event,
    }))
    const toggle = sections.find(it => it.name === section)?.link?.toggle
    const on = resolve(toggles, await switchesOf(database, workspace.id, client), client, '')
    const link =
      toggle && on(section) && on(toggle) && `${settings}/links?${new URLSearchParams({ section, client, id })}`
    const changed = told.some(it => it.event === `${section}.accepted`) && (await changedSince(which, speech))
    const html = rows.length || link ? render('beside', { ...speech, told, link, changed }) : ''
    return { deeds: rows.map(({ subject, ...it }) => it), changed, html }
  }

  async function changedSince({ workspace: { id, slug }, client, section, id: document }: Which, speech: Speech) {
    const [row] = await readWithin<{ evidence: string }>(
      database,
      { workspace: id },
      {
        name: 'portal.beside-signed',
        text: `select s.evidence from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.client_id = $3 and s.section = $4 and s.document_id = $5
                 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null order by s.link desc limit 1`,
        values: [client, section, document],
      },
    )
    const workspace = row && (await places.find(slug))
    if (!row || !workspace) return false
    const today = dateIn(zoneOf(workspace.timeZone), currentTime(database))
    return (await standOf(row.evidence, { crm, door, workspace, today }, speech)) === 'changed'
  }
}

interface Parts {
  crm: Crm
  database: Knex
  door: Pick<Gate, 'opened' | 'passing'>
  flags: Flags
  places: Workspaces
  sections: Section[]
}
