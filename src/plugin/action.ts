import type { Request } from 'express'
import type { Knex } from 'knex'
import type { Activation } from '../crm/activation/activation.ts'
import type { Ports } from '../crm/crm.ts'
import { type Event, recordEventIn } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import type { PluginQueue, Section } from './plugin.ts'
import type { WithStores } from './stores.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      runAction: RunAction
      /** A transaction that has entered this workspace. Throws Forbidden for anybody but staff. */
      inWorkspace<T>(work: (tx: Knex.Transaction) => Promise<T>): Promise<T>
    }
  }
}

/** What an action works with: its transaction, and the ports bound to it. */
export interface ActionContext {
  tx: Knex.Transaction
  /** Within the transaction, where the CRM is in the same database. */
  crm: Partial<Ports>
  /** Whether it is. */
  here: boolean
}

interface Parts {
  crm: WithStores
  database: Knex
  activation: Pick<Activation, 'availablePorts'>
  plugins: Section[]
  jobs: PluginQueue
}

/**
 * Runs a client's action in one transaction, with ports bound to it, and records the event that `event` makes of
 * the result. When it resolves, everything is stored.
 */
export const runAction: RunAction = (req, work, event) => req.portal.runAction(req, work, event)

/** Runs a client's action and records what it did. */
export type RunAction = <T>(
  req: Request<any>,
  work: (context: ActionContext) => Promise<T>,
  event: (done: T) => Event,
) => Promise<T>

/**
 * Makes `runAction`: one transaction for the CRM's change, our own rows and the activity entry. When it resolves, all
 * of it is stored.
 */
export const actionRunner =
  ({ crm, database, activation, plugins, jobs }: Parts): RunAction =>
  async (req, work, event) => {
    const { workspace, client } = req.portal.customer
    let followed = false
    const result = await within(database, { workspace: workspace.id, client: client.id }, async tx => {
      // A CRM in another database cannot join the transaction.
      const here = crm.database === undefined || crm.database === database
      const done = await work({
        tx,
        here,
        crm: activation.availablePorts(crm.connect(req.portal.customer, here ? tx : undefined, tx)),
      })
      const happened = event(done)
      const entry = await recordEventIn(tx, req, happened)
      followed = await queueFollowUps(tx, { plugins, jobs }, { workspace, event: happened.event, entry })
      return done
    })
    if (followed) jobs.wake()
    return result
  }

interface Happened {
  workspace: { id: string; slug: string }
  event: string
  /** The id of its entry in the activity log. */
  entry: string
}

/** Queues the jobs that plugins want to be done after this event. Resolves to whether there are any. */
export async function queueFollowUps(
  tx: Knex,
  { plugins, jobs }: Pick<Parts, 'plugins' | 'jobs'>,
  { workspace, event, entry }: Happened,
): Promise<boolean> {
  const wanted = plugins.flatMap(({ followUps = {} }) => followUps[event.slice(event.lastIndexOf('.') + 1)] ?? [])
  for (const job of wanted) await jobs.queue(tx, { job, workspace, data: { entry } })
  return wanted.length > 0
}
