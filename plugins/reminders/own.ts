import type { RecipientOf } from '../../src/auth/recipients.ts'
import type { Host } from '../../src/plugin/plugin.ts'

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

/** Where people choose whether they are reminded, within the portal. */
export const choicesPage = (host: Pick<Host, 'capability'>): string =>
  isSwitched(host) ? '/account#reminders' : '/notifications/settings'
