import type { RequestContext } from '../context.ts'
import type { Toggle, Told } from '../section.ts'

/** How a kind of offer is called, in the reader's language. */
interface Says {
  one: string
  many: string
  search: string
  filter: string
  noneFits: string
  all: string
  none: string
  withdrawn: string
  answer: string
  back: string
  decline: string
  numbered(number: string): string
  held(number: string, day: string): string
}

export interface Kind {
  name: 'proposals' | 'quotations'
  title: string
  icon: string
  order: number
  see: string
  answer: string
  comment: string
  /** As an action that a fresh proof may be asked for. */
  accepting: string
  toggle: Omit<Toggle, 'default'>
  answering: Omit<Toggle, 'default'>
  quantities: Omit<Toggle, 'default'>
  parts: Omit<Toggle, 'default'>
  questions: Omit<Toggle, 'default'>
  reminders: Omit<Toggle, 'default'>
  links: Omit<Toggle, 'default'>
  activity: Record<
    | 'viewed'
    | 'downloaded'
    | 'took'
    | 'accepted'
    | 'declined'
    | 'commented'
    | 'replied'
    | 'asked'
    | 'reminded'
    | 'countersigned',
    Told
  >
  says(visit: Pick<RequestContext, 't' | 'workspace'>): Says
}
