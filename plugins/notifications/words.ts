import type { NamedKind, NotificationFacts } from '../../src/notifications/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

/** A notification as it is stored. */
export interface Told {
  kind: string
  facts: NotificationFacts
  count: number
}

/** What a notification says to one reader. */
export interface Words {
  text: string
  /** A second line, or an empty text. */
  about: string
}

/** Amounts and days are written as the reader's language does. A kind that no plugin has any more says nothing. */
export function wordsOf(
  kind: NamedKind | undefined,
  { facts, count }: Pick<Told, 'facts' | 'count'>,
  speech: Speech,
): Words {
  if (!kind) return { text: '', about: '' }
  const values = { ...written(facts, speech), count }
  const several = count > 1 ? kind.several : undefined
  return {
    text: oneLine(speech.sentence(several ?? kind.sentence, values)),
    about: kind.about ? oneLine(speech.sentence(kind.about, values)) : '',
  }
}

function written(facts: NotificationFacts, { day }: Speech) {
  return Object.fromEntries(
    Object.entries(facts).map(([name, it]) => [name, typeof it === 'object' && 'day' in it ? day(it.day) : it]),
  )
}

/** Spaces that do not break, such as those of amounts, stay. */
const oneLine = (text: string) => text.replace(/[^\S\u00a0\u202f]+/g, ' ').trim()
