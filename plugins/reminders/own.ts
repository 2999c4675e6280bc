import type { RecipientOf } from '../../src/auth/recipients.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import type { Round } from './round.ts'

/**
 * Whether people switch reminders off in their account. Where the plugin `notifications` is installed they choose there
 * instead, for each kind and channel, and the switch says nothing.
 */
export const isSwitched = ({ capability }: Pick<Host, 'capability'>): boolean =>
  capability('notifications') === undefined

/** Whether somebody wants reminders by the switch in their account. */
export const wanted =
  (host: Pick<Host, 'capability'>) =>
  ({ reminders }: Pick<RecipientOf, 'reminders'>): boolean =>
    reminders || !isSwitched(host)

/** The same in SQL, over `u` of `client_users`. */
export const wantedSql = (host: Pick<Host, 'capability'>): string => (isSwitched(host) ? 'and u.reminders' : '')

/** Where somebody chooses whether they are reminded, or stops these e-mails where their portal has no notifications. */
export function choicesLink(round: Round, to: RecipientOf, unsubscribe?: string): string {
  const { choosing, mailContext, workspace } = round
  if (unsubscribe && !choosing.has(to.id)) return unsubscribe
  const page = isSwitched(round) ? '/account#reminders' : '/notifications/settings'
  return `${mailContext.address}/${workspace.slug}${page}`
}
