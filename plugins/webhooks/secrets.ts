import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { seal, unsealOrUndefined } from '../../src/platform/crypto.ts'
import { query } from '../../src/platform/database.ts'

/** How long the former secret of an endpoint still signs, in hours. */
export const overlap = 24

/** The signing secrets of an endpoint. The former one signs too, until its time is over. */
export interface Keys {
  current: string
  former: { secret: string; until: Date } | null
}

const Keys = z.object({
  current: z.string(),
  former: z.object({ secret: z.string(), until: z.coerce.date() }).nullable(),
})

/** 256 bits, as Standard Webhooks writes a secret. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** Where the sealed settings of plugins are: what is sealed there is sealed anew when the portal's secrets change. */
const nameOf = (endpoint: string) => `webhooks.secret ${endpoint}`

interface Place {
  workspace: string
  endpoint: string
  /** The portal's own. */
  secrets: string[]
}

export async function saveKeys(tx: Knex, { workspace, endpoint, secrets }: Place, keys: Keys, by: string) {
  await query(tx, {
    text: `insert into portal.client_plugin_settings as it (workspace_id, name, sealed, changed_by) values ($1, $2, $3, $4)
           on conflict (workspace_id, name) do update set sealed = excluded.sealed, changed_at = portal.now(),
             changed_by = excluded.changed_by`,
    values: [workspace, nameOf(endpoint), seal(JSON.stringify(keys), secrets, 'plugin setting'), by],
  })
}

/** Undefined for an endpoint that was removed. */
export async function keysOf(tx: Knex, { workspace, endpoint, secrets }: Place): Promise<Keys | undefined> {
  const [row] = await query<{ sealed: Buffer }>(tx, {
    text: 'select sealed from portal.client_plugin_settings where workspace_id = $1 and name = $2',
    values: [workspace, nameOf(endpoint)],
  })
  if (!row) return undefined
  const text = unsealOrUndefined(row.sealed, secrets, 'plugin setting')
  if (text === undefined) throw new Error(`The secret of the endpoint ${endpoint} cannot be opened.`)
  return Keys.parse(JSON.parse(text))
}

export const removeKeys = (tx: Knex, { workspace, endpoint }: Omit<Place, 'secrets'>) =>
  query(tx, {
    text: 'delete from portal.client_plugin_settings where workspace_id = $1 and name = $2',
    values: [workspace, nameOf(endpoint)],
  })

interface Signed {
  id: string
  at: Date
  body: string
}

/** The headers of a delivery by Standard Webhooks, signed by each secret that holds. */
export function signedHeaders({ current, former }: Keys, { id, at, body }: Signed): Record<string, string> {
  const secrets = former && former.until > at ? [current, former.secret] : [current]
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map(it => new Webhook(it).sign(id, at, body)).join(' '),
  }
}
