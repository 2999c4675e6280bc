import { query } from '../database.ts'
import { type Config, connected } from './config.ts'

/** Forgets, for all workspaces, what has ended: a good thing to run once a day. */
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
    const copies = await gone('portal.client_exports', `asked_at < portal.now() - interval '2 days'`)
    await gone('portal.client_reminders', `at < portal.now() - interval '90 days'`)
    const shared = await gone(
      'portal.client_links',
      `least(expires_at, revoked_at) < portal.now() - interval '90 days'`,
    )
    await gone('portal.client_alerts', `at < portal.now() - interval '90 days'`)
    return `Removed ${sessions} ended sessions, ${links} links and codes that are over, ${registrations} registrations that nobody confirmed, ${tokens} tokens of programs that are over, ${copies} copies of data whose day is over, ${shared} public links that ended 90 days ago.`
  })
