import webpush from 'web-push'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { seal } from '../../src/platform/crypto.ts'
import { query, within } from '../../src/platform/database.ts'
import type { PluginOption } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf } from '../../src/settings/plugin-options.ts'

/** What a workspace signs its push messages with (VAPID, RFC 8292). Devices are bound to the public one. */
export interface Keys {
  publicKey: string
  privateKey: string
}

const name = 'push.keys'

export const options: Record<`push.${string}`, PluginOption> = {
  [name]: {
    label: 'Keys of push notifications',
    shape: z.object({ publicKey: z.string(), privateKey: z.string() }).nullable().catch(null).default(null),
    secret: true,
  },
}

/** The first use makes them, in whichever process comes first. They are kept sealed, and sealed again as all options. */
export async function keysOf(host: Host, workspace: string): Promise<Keys> {
  return (await optionOf<Keys | null>(host, workspace, name)) ?? make(host, workspace)
}

async function make(host: Host, workspace: string): Promise<Keys> {
  const made = seal(JSON.stringify(webpush.generateVAPIDKeys()), coreHostOf(host).secrets, 'plugin setting')
  await within(host.database, { workspace }, async tx => {
    await query(tx, { text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`${name} ${workspace}`] })
    // Somebody else may have been quicker. Keys whose secret is lost are replaced.
    if (await optionOf<Keys | null>(host, workspace, name)) return
    await query(tx, {
      text: `insert into portal.client_plugin_settings (workspace_id, name, sealed, changed_by) values ($1, $2, $3, '')
             on conflict (workspace_id, name) do update set sealed = excluded.sealed, changed_at = portal.now()`,
      values: [workspace, name, made],
    })
  })
  const kept = await optionOf<Keys | null>(host, workspace, name)
  if (!kept) throw new Error('The keys of push notifications cannot be read.')
  return kept
}
