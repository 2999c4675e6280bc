import { query } from '../platform/database.ts'
import { type Config, connected, pluginsOf } from './config.ts'

/** Deletes expired data of all workspaces. Run it once a day. */
export const prune = (config: Config): Promise<string> =>
  connected(config.ownerUrl, async owner => {
    const gone = async (table: string, where: string) =>
      (await query(owner, { text: `delete from ${table} where ${where} returning 1` })).length
    const sessions = await gone('portal.client_sessions', 'expire < portal.now()')
    const links = await gone('portal.client_tokens', `expires_at < portal.now() - interval '1 day'`)
    const registrations = await gone(
      'portal.client_registrations',
      `confirmed_at is null and created_at < portal.now() - interval '7 days'`,
    )
    const tokens = await gone('portal.client_api_tokens', 'expires_at < portal.now()')
    const ofPlugins: string[] = []
    for (const { privacy } of pluginsOf(config)) if (privacy?.prunes) ofPlugins.push(await privacy.prunes(owner))
    await gone('portal.client_alerts', `at < portal.now() - interval '90 days'`)
    const removed = [
      `${sessions} ended sessions`,
      `${links} links and codes that are over`,
      `${registrations} registrations that nobody confirmed`,
      `${tokens} tokens of programs that are over`,
      ...ofPlugins,
    ]
    return `Removed ${removed.join(', ')}.`
  })
