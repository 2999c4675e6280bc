import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { notMigrated, query, within } from './database.ts'
import type { Flags } from './flags.ts'
import type { Log } from './log.ts'

interface Parts {
  database: Knex
  flags: Flags
  log: Log
  /** Seconds between two looks at the flag. */
  every: number
}

/**
 * Ends every session and refresh token of a workspace when the flag goes off for it, so that what was stolen before does
 * not work when it is on again. That is the only statement sent while the flag is off: once for each change, and once
 * when a process starts with the flag off, since it cannot know how it was before. A flag server that does not answer is
 * no change.
 */
export function endSessionsWhenOff({ database, flags, log, every }: Parts) {
  /** Ids of the workspaces that are on, by slug, as far as this process knows. */
  const on = new Map<string, string>()
  const look = watchFlag({ database, flags, log }, on)
  let looking: Promise<void> | undefined

  const lookAgain = () => {
    looking ??= look()
      .catch(err => log.warn({ err }, 'sessions could not be ended after the flag went off; tried again'))
      .finally(() => {
        looking = undefined
      })
  }
  lookAgain()
  const timer = setInterval(lookAgain, every * 1_000).unref()

  return {
    remember: rememberWorkspace(database, flags, on),
    /** Resolves when nothing is asked of the database any more, or after two seconds. */
    async stop() {
      clearInterval(timer)
      await Promise.race([looking, sleep(2_000, undefined, { ref: false })])
    },
  }
}

/** Gives what looks at the flag, and ends the sessions of every workspace that it is off for since the last look. */
function watchFlag({ database, flags, log }: Omit<Parts, 'every'>, on: Map<string, string>) {
  let known: 'on' | 'off' | undefined

  return async () => {
    if (flags.known?.() === false) return
    if (!flags.enabledAnywhere()) {
      if (known === 'off') return
      await endSessions(database, log, null)
      known = 'off'
      on.clear()
      return
    }
    if (known !== 'on') {
      for (const { id, slug } of await usedWorkspaces(database)) on.set(slug, id)
      known = 'on'
    }
    const off = [...on].filter(([slug]) => !flags.enabled(slug))
    if (!off.length) return
    const ids = off.map(([, id]) => id)
    await endSessions(database, log, ids)
    for (const [slug] of off) on.delete(slug)
  }
}

/** Of these workspaces, or of all where they are null. */
async function endSessions(database: Knex, log: Log, workspaces: string[] | null) {
  const [row] = await query<{ ended: string }>(database, {
    text: 'select portal.switch_off($1) as ended',
    values: [workspaces],
  }).catch(notMigrated)
  const ended = Number(row?.ended ?? 0)
  if (ended) log.info({ ended, workspaces: workspaces ?? 'all' }, 'the portal was switched off: sessions have ended')
}

/** Remembers a workspace that is used, also for a process that starts later. */
const rememberWorkspace =
  (database: Knex, flags: Flags, on: Map<string, string>): RequestHandler =>
  (req, _res, next) => {
    next()
    const { id, slug } = req.portal.workspace
    if (!id || on.get(slug) === id || !flags.enabled(slug)) return
    on.set(slug, id)
    keep(database, { id, slug }).catch(() => on.delete(slug))
  }

/** Workspaces that were used while the portal was on; none before the migrations are applied. */
export const usedWorkspaces = (database: Knex) =>
  query<{ id: string; slug: string }>(database, { text: 'select id, slug from portal.used_workspaces()' }).catch(
    notMigrated,
  )

const keep = (database: Knex, { id, slug }: { id: string; slug: string }) =>
  within(database, { workspace: id }, tx =>
    query(tx, {
      text: `insert into portal.client_workspaces (workspace_id, slug) values ($1, $2)
             on conflict (workspace_id) do update set slug = excluded.slug where client_workspaces.slug <> excluded.slug`,
      values: [id, slug],
    }),
  )
