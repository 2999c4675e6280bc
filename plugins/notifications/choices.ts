import type { Knex } from 'knex'
import { z } from 'zod'
import type { NamedKind } from '../../src/notifications/kinds.ts'
import { query } from '../../src/platform/database.ts'
import { defaultSummary, Quiet, Summary } from './schedule.ts'

/** The channels that the portal has itself: its own pages, e-mail at once, and a summary by e-mail. */
export const ownChannels = ['here', 'mail', 'summary'] as const

/** What a person chose, by kind and channel. */
type OwnChoices = Record<string, Record<string, boolean>>
/** What a workspace chose: `always` cannot be switched off by anybody. */
export type WorkspaceChoices = Record<string, Record<string, WorkspaceChoice>>
export const workspaceChoices = ['on', 'off', 'always'] as const
type WorkspaceChoice = (typeof workspaceChoices)[number]

const Own = z.record(z.string(), z.record(z.string(), z.boolean())).catch({})
const OfWorkspace = z.record(z.string(), z.record(z.string(), z.enum(workspaceChoices))).catch({})

/** How one person wants to be told. */
export interface Preferences {
  own: OwnChoices
  workspace: WorkspaceChoices
  quiet: Quiet | null
  summary: Summary
}

interface Row {
  person: string
  choices: unknown
  quiet: unknown
  summary: unknown
}

/** The preferences of these people, in a transaction that has entered the workspace. */
export async function preferencesOf(tx: Knex, workspace: string, people: string[]): Promise<Map<string, Preferences>> {
  const rows = await query<Row>(tx, {
    text: `select c.person_id as person, c.choices, c.quiet, c.summary from portal.client_notification_choices c
           where c.workspace_id = $1 and c.person_id = any($2)`,
    values: [workspace, ['', ...people]],
  })
  const shared = OfWorkspace.parse(rows.find(it => it.person === '')?.choices ?? {})
  return new Map(
    people.map(person => {
      const row = rows.find(it => it.person === person)
      return [
        person,
        {
          own: Own.parse(row?.choices ?? {}),
          workspace: shared,
          quiet: Quiet.nullable()
            .catch(null)
            .parse(row?.quiet ?? null),
          summary: Summary.catch(defaultSummary).parse(row?.summary ?? {}),
        },
      ]
    }),
  )
}

/** The kind whose line a kind is chosen by. */
const chosenBy = ({ name, chosenWith }: Pick<NamedKind, 'name' | 'chosenWith'>): string => chosenWith ?? name

/** Whether somebody is told of a kind by a channel. */
export function isChosen(kind: NamedKind, channel: string, { own, workspace }: Pick<Preferences, 'own' | 'workspace'>) {
  if (isForced(kind, channel, workspace)) return true
  return own[chosenBy(kind)]?.[channel] ?? isDefault(kind, channel, workspace)
}

/** Whether it is on where the person chose nothing. */
export function isDefault(kind: NamedKind, channel: string, workspace: WorkspaceChoices): boolean {
  const chosen = workspace[chosenBy(kind)]?.[channel]
  return chosen ? chosen !== 'off' : isUsual(kind, channel)
}

/** Whether it is on where the workspace chose nothing either. */
export const isUsual = ({ channels = {} }: NamedKind, channel: string): boolean =>
  channels[channel] ?? (channel === 'here' || channel === 'mail')

/** Whether nobody can switch it off. */
export const isForced = (kind: NamedKind, channel: string, workspace: WorkspaceChoices): boolean =>
  kind.always ? channel === 'here' || channel === 'mail' : workspace[chosenBy(kind)]?.[channel] === 'always'

/** Stores what a person chose, or forgets it. */
export const keepPreferences = (
  tx: Knex,
  workspace: string,
  person: string,
  { own, quiet, summary }: Pick<Preferences, 'own' | 'quiet' | 'summary'>,
) =>
  query(tx, {
    text: `insert into portal.client_notification_choices (workspace_id, person_id, choices, quiet, summary)
           values ($1, $2, $3, $4, $5)
           on conflict (workspace_id, person_id) do update set choices = excluded.choices, quiet = excluded.quiet,
             summary = excluded.summary, changed_at = portal.now()`,
    values: [workspace, person, JSON.stringify(own), quiet && JSON.stringify(quiet), JSON.stringify(summary)],
  })

/** As if the person had never chosen anything. */
export const forgetPreferences = (tx: Knex, workspace: string, person: string) =>
  query(tx, {
    text: 'delete from portal.client_notification_choices where workspace_id = $1 and person_id = $2',
    values: [workspace, person],
  })

/** What the workspace chose, in a transaction that has entered it. */
export async function workspaceChoicesOf(tx: Knex, workspace: string): Promise<WorkspaceChoices> {
  const [row] = await query<Row>(tx, {
    text: `select c.choices from portal.client_notification_choices c where c.workspace_id = $1 and c.person_id = ''`,
    values: [workspace],
  })
  return OfWorkspace.parse(row?.choices ?? {})
}

export const keepWorkspaceChoices = (tx: Knex, workspace: string, choices: WorkspaceChoices) =>
  query(tx, {
    text: `insert into portal.client_notification_choices (workspace_id, person_id, choices) values ($1, '', $2)
           on conflict (workspace_id, person_id) do update set choices = excluded.choices, changed_at = portal.now()`,
    values: [workspace, JSON.stringify(choices)],
  })
