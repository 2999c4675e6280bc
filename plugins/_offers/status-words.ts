import { daysBetween } from '../../src/crm/document.ts'
import type { RequestContext } from '../../src/http/context.ts'
import type { Summary } from './port.ts'

/** As the list has it: `underway` is an answer that the CRM does not know yet. */
type Listed = Summary & { underway?: 'accepted' | 'declined' }

/** How an offer stands, for its badge: tone, icon, words. */
export const statusWords = ({ t, customer: { today } }: RequestContext, labels: { state(status: string): string }) => ({
  state({ status, word, validUntil, underway }: Listed): [string, string, string] {
    if (underway === 'accepted') return ['blue', 'clock', t('Accepted, being submitted')]
    if (underway === 'declined') return ['blue', 'clock', t('Declined, being submitted')]
    if (status === 'accepted') return ['green', 'check', labels.state(status)]
    if (status === 'declined') return ['secondary', 'x', labels.state(status)]
    if (status === 'expired') return ['secondary', 'clock', labels.state(status)]
    if (status === 'withdrawn') return ['secondary', 'ban', labels.state(status)]
    if (status === 'other') return ['secondary', 'point', word || t('Unknown')]
    const days = validUntil ? daysBetween(today, validUntil) : Number.POSITIVE_INFINITY
    if (days > 7) return ['yellow', 'clock', labels.state(status)]
    return [
      'red',
      'clock',
      t('{days, plural, =0 {Expires today} one {Expires tomorrow} other {Expires in # days}}', { days }),
    ]
  },
})
