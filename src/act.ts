import type { Request } from 'express'
import type { Knex } from 'knex'
import { type Event, note } from './activity.ts'
import type { Ports } from './crm.ts'
import { within } from './database.ts'
import type { Gate } from './gate/gate.ts'
import type { WithStores } from './stores.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      act: Act
      /** A transaction that has entered this workspace. Throws Forbidden for anybody but staff. */
      inWorkspace<T>(work: (tx: Knex.Transaction) => Promise<T>): Promise<T>
    }
  }
}

export interface Acting {
  tx: Knex.Transaction
  /** Within the transaction, where the CRM is in the same database. */
  crm: Partial<Ports>
  /** Whether it is. */
  here: boolean
}

interface Parts {
  crm: WithStores
  database: Knex
  door: Pick<Gate, 'passing'>
}

/** A client's action, as `acting` does it. */
export const act: Act = (req, work, event) => req.portal.act(req, work, event)

export type Act = <T>(req: Request<any>, work: (acting: Acting) => Promise<T>, event: (done: T) => Event) => Promise<T>

/**
 * A client's action: one transaction for the CRM's change, our own rows and the sentence that it leaves; whoever gets an
 * answer knows that all of it is stored.
 */
export const acting =
  ({ crm, database, door }: Parts): Act =>
  (req, work, event) => {
    const { workspace, client } = req.portal.customer
    return within(database, { workspace: workspace.id, client: client.id }, async tx => {
      // A CRM in another database cannot join the transaction.
      const here = crm.database === undefined || crm.database === database
      const done = await work({
        tx,
        here,
        crm: door.passing(crm.connect(req.portal.customer, here ? tx : undefined, tx)),
      })
      await note(tx, req, event(done))
      return done
    })
  }
