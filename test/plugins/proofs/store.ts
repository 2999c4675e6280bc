import type { Knex } from 'knex'
import { Conflict, type Customer, NotFound, query, readWithin, type SignedResponse, within } from '../../../src/sdk.ts'

/** What a printer wants a client to approve. */
export interface Proof {
  id: string
  number: string
  version: number
  artwork: string
  state: 'open' | 'accepted' | 'declined'
}

export interface Proofs {
  /** Throws NotFound, for somebody else's too. */
  find(id: string): Promise<Proof>
  /** Throws Conflict where somebody was quicker, or there is another version by now. */
  respond(id: string, response: Pick<SignedResponse, 'key' | 'act' | 'version' | 'by'>): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      proofs: Proofs
    }
  }
}

export function proofsOf({ workspace, client }: Customer, database: Knex): Proofs {
  const scope = { workspace: workspace.id, client: client.id }
  return {
    async find(id) {
      const [found] = await readWithin<Proof>(database, scope, {
        text: `select p.id::text, p.number, p.version, p.artwork, p.state from portal.client_proofs p
               where p.workspace_id = scope.workspace and p.client_id = scope.client and p.id::text = $3`,
        values: [id],
      })
      if (!found) throw new NotFound()
      return found
    },

    respond: (id, { key, act, version, by }) =>
      within(database, scope, async tx => {
        const changed = await query(tx, {
          text: `update portal.client_proofs set state = $3, approved_by = $4, response = $5
                 where workspace_id = $1 and id::text = $2 and version = $6 and (state = 'open' or response = $5)
                 returning id`,
          values: [scope.workspace, id, act, by.name, key, version],
        })
        if (!changed.length) throw new Conflict()
      }),
  }
}
