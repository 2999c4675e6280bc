import { wordsOf } from '../../plugins/notifications/words.ts'
import { payloadOf } from '../../plugins/push/send.ts'
import { messagesIn, textOf } from '../../plugins/sms/text.ts'
import { greeting } from '../../src/auth/mail-context.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { type MailContent, type RenderedMail, renderMail } from '../../src/mail/content.ts'
import { coreMails, type Facts, type MailKind, mailOf } from '../../src/mail/kinds.ts'
import { mailContentIn } from '../../src/mail/texts.ts'
import { kindsOf, type NamedKind, type NotificationFacts } from '../../src/notifications/kinds.ts'
import { addressOf } from '../../src/notifications/notify.ts'
import { type languages, type Speech, speak } from '../../src/platform/i18n.ts'
import { sections } from '../../src/plugin/discover.ts'
import { localFacts, variantsOf } from './facts.ts'

export type Language = (typeof languages)[number]

export const workspace: BrandedWorkspace = {
  ...{ id: '1', slug: 'brightside', name: 'Brightside Agency', colour: '#0c5a63', timeZone: 'Europe/Amsterdam' },
  ...{ letterhead: ['Entrepotdok 84', '1018 AD Amsterdam'], given: undefined as never, revision: 0 },
}

export const speechIn = (language: Language): Speech =>
  speak(`${language === 'en' ? 'en-GB' : language}|${workspace.timeZone}`)

const address = 'https://crm.brightside.example/portal'
const reader = { name: 'Nadia El-Khoury', email: 'nadia@acmebakery.example' }
const key = '0190a7c4-5f7e-7c8e-9d1b-3a5b7c9d1e2f'

/** A notification by each way in which it reaches its reader. */
export interface Shown {
  kind: string
  facts: NotificationFacts
  text: string
  about: string
  /** Of three that are one. */
  several: string
  push: Push
  hidden: Push
  sms: { text: string; messages: number }
  url: string
}

interface Push {
  title: string
  body: string
  url: string
  lang: string
  bytes: number
}

export const kinds = () => [...kindsOf(sections).values()]

/** Every notification that plugins tell, in all that its sentence may say. */
export const notifications = (language: Language): Shown[] =>
  kinds().flatMap(kind => variantsOf(kind).map(facts => shown(kind, facts, language)))

export function shown(kind: NamedKind, facts: NotificationFacts, language: Language, its = workspace): Shown {
  const speech = speechIn(language)
  const url = addressOf({ address }, its.slug, { client: key, section: recordOf(kind), id: key })
  const { text, about } = wordsOf(kind, { facts, count: 1 }, speech)
  const message = { workspace: its, person: key, id: key, tag: `${kind.name} ${key}`, text, about, url }
  const pushed = (hidden: boolean): Push => {
    const payload = payloadOf(message, { hidden, language: speech.locale })
    return { ...JSON.parse(payload), bytes: Buffer.byteLength(payload) }
  }
  const sms = textOf({ from: its.name, text, url })
  return {
    ...{ kind: kind.name, facts, text, about, url },
    several: wordsOf(kind, { facts, count: 3 }, speech).text,
    ...{ push: pushed(false), hidden: pushed(true) },
    sms: { text: sms, messages: messagesIn(sms) },
  }
}

/** Some tell of the records of others. */
const recordOf = ({ section }: NamedKind) => (sections.find(it => it.name === section)?.subject ? section : 'invoices')

/** A mail as its reader gets it, with what it was made of. */
export interface Mailed extends RenderedMail {
  kind: string
  content: Omit<MailContent, 'greeting'>
  /** What fills its sentences. */
  facts: Facts
}

/** Every mail there is, and those that say a notification that has no mail of its own. */
export function mails(language: Language): Mailed[] {
  const speech = speechIn(language)
  const own = (Object.keys(coreMails) as MailKind[]).map(kind => ({
    ...{ kind, label: kind, facts: localFacts(mailOf(kind).facts, speech) },
  }))
  const notices = kinds()
    .filter(it => !it.mail && it.name !== 'notifications.device')
    .map(kind => {
      const { text, about } = wordsOf(kind, { facts: kind.example ?? {}, count: 1 }, speech)
      return {
        kind: 'notifications.notice' as const,
        label: `${kind.name} (notice)`,
        facts: { text, more: about },
      }
    })
  return [...own, ...notices].map(it => mailed(it, speech))
}

function mailed({ kind, label, facts }: { kind: MailKind; label: string; facts: Facts }, speech: Speech): Mailed {
  const all = { ...facts, workspace: workspace.name }
  const content = mailContentIn(kind, speech, all, undefined, `${address}/brightside/account?client=1`)
  const code = 'code' in facts ? { code: String(facts.code) } : {}
  const letter = { greeting: greeting(speech, reader.name), ...content, ...code }
  return { kind: label, content, facts: all, ...renderMail(letter, workspace, speech, reader.email) }
}
