import type { RequestContext } from '../context.ts'
import { daysBetween } from '../document.ts'
import type { Summary } from './port.ts'

/** How an offer stands, for its badge: tone, icon, words. */
export const words = ({ t, customer: { today } }: RequestContext) => ({
  state({ status, word, validUntil }: Summary): [string, string, string] {
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
