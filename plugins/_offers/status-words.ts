import { daysBetween } from '../../src/crm/document.ts'
import type { RequestContext } from '../../src/http/context.ts'
import type { Summary } from './port.ts'

/** As the list has it: `underway` is an answer that the CRM does not know yet. */
type Listed = Summary & { underway?: 'accepted' | 'declined' }

/** How an offer stands, for its badge: tone, icon, words. */
export const statusWords = ({ t, customer: { today } }: RequestContext) => ({
  state({ status, word, validUntil, underway }: Listed): [string, string, string] {
    if (underway === 'accepted') return ['blue', 'clock', t('Accepted, being submitted')]
    if (underway === 'declined') return ['blue', 'clock', t('Declined, being submitted')]
    if (status === 'accepted') return ['green', 'check', t('Accepted')]
    if (status === 'declined') return ['secondary', 'x', t('Declined')]
    if (status === 'expired') return ['secondary', 'clock', t('Expired')]
    if (status === 'withdrawn') return ['secondary', 'ban', t('Withdrawn')]
    if (status === 'other') return ['secondary', 'point', word || t('Unknown')]
    const days = validUntil ? daysBetween(today, validUntil) : Number.POSITIVE_INFINITY
    if (days > 7) return ['yellow', 'clock', t('Waiting for you')]
    return [
      'red',
      'clock',
      t('{days, plural, =0 {Expires today} one {Expires tomorrow} other {Expires in # days}}', { days }),
    ]
  },
})
