import type { RequestContext } from '../http/context.ts'
import type { Need } from './dashboard.ts'

/**
 * Returns what waits for this person in all sections, the most urgent first. A section that cannot tell is left out,
 * since this stands beside the page's own content.
 */
export async function needsOf(context: RequestContext): Promise<Need[]> {
  const homes = await Promise.allSettled(context.nav.map(it => it.home?.(context)))
  const needs = homes.flatMap(it => (it.status === 'fulfilled' ? (it.value?.needs ?? []) : []))
  return mostUrgentFirst(needs)
}

export const mostUrgentFirst = (needs: Need[]): Need[] => needs.sort((a, b) => (a.by < b.by ? -1 : 1))
