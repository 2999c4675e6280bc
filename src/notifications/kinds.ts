import type { Request } from 'express'
import { IntlMessageFormat } from 'intl-messageformat'
import { z } from 'zod'
import type { MailKind } from '../mail/kinds.ts'
import type { Money } from '../platform/money.ts'
import type { Host, Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'
import { channelShape, type NotificationChannel } from './channels.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /** What it tells people of, by `<name>.<word>`: each is told by `notifyPeople`. */
      notifications?: Record<string, NotificationKind>
      /** Which of its kinds have a line where this person chooses how they are told; all of them if not given. */
      notificationsFor?(req: Request<any>, host: Host): Promise<string[]>
      /** Another way to reach people with notifications, beside the portal itself and e-mail. */
      channel?: NotificationChannel
    }
  }
}

/** Headings under which people choose what they are told, in this order. */
export const notificationGroups = {
  money: 'Proposals and money',
  work: 'Work',
  reminders: 'Reminders',
  account: 'Your account',
} as const
export type NotificationGroup = keyof typeof notificationGroups

/** Fills the sentences of a notification. Each reader sees amounts and plain dates as their language writes them. */
export type NotificationFacts = Record<string, string | number | Money | { day: string }>

/** Something that people are told of, and by which channels unless they choose otherwise. */
interface NotificationKind {
  /** As people choose it: `New invoices`. */
  label: string
  group: NotificationGroup
  /** The notification itself, in ICU MessageFormat: `{name} shared {title}`. */
  sentence: string
  /** Of several about one record that nobody has read, with `{count}`; the newest one's sentence if not given. */
  several?: string
  /** A second line: what it is about. */
  about?: string
  /** Realistic facts, for the gallery of all notifications. Every fact that a sentence names must be there. */
  example?: NotificationFacts
  /** One of Portico's icons; the plugin's own if not given. */
  icon?: string
  /** The mail that tells it; if not given, one that says its sentence. */
  mail?: MailKind
  /** Channels that are on or off unless the workspace or the reader says otherwise. If not given, e-mail is on. */
  channels?: Record<string, boolean>
  /** Whether nobody can switch it off, neither here nor by e-mail: what concerns somebody's security. */
  always?: true
  /** The kind that it is chosen together with: it has no line of its own then. */
  chosenWith?: string
}

/** A kind with its name and the plugin that tells it. */
export interface NamedKind extends NotificationKind {
  name: string
  section: string
  icon: string
}

/** All kinds by their name. */
export function kindsOf(sections: Section[]): Map<string, NamedKind> {
  const usual = Object.fromEntries(sections.flatMap(({ name, channel }) => (channel?.usual ? [[name, true]] : [])))
  return new Map(
    sections.flatMap(({ name: section, icon, notifications = {} }) =>
      Object.entries(notifications).map(
        ([name, it]) => [name, { icon, ...it, channels: { ...usual, ...it.channels }, name, section }] as const,
      ),
    ),
  )
}

const sentence = z.string('must be a text').min(1, 'must not be empty')

const message = sentence.refine(isMessage, 'must be ICU MessageFormat')

const fact = z.union(
  [
    z.string(),
    z.number(),
    z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/), currency: z.string().length(3) }),
    z.object({ day: z.iso.date() }),
  ],
  'must be a text, a number, { amount, currency } or { day }',
)

const KindFields = z.object({
  label: sentence,
  group: z.enum(
    Object.keys(notificationGroups) as [NotificationGroup],
    'must be one of: money, work, reminders, account',
  ),
  sentence: message,
  several: message.optional(),
  about: message.optional(),
  example: z.record(z.string(), fact).optional(),
  icon: sentence.optional(),
  mail: sentence.optional(),
  channels: z.record(z.string(), z.boolean('must be true or false')).optional(),
  always: z.literal(true).optional(),
  chosenWith: sentence.optional(),
})

const KindShape = KindFields.superRefine(({ sentence, several = '', about = '', example }, context) => {
  if (!example || ![sentence, several, about].every(isMessage)) return
  const named = [sentence, several, about].flatMap(factNames)
  const missing = named.filter(it => it !== 'count' && !(it in example))
  for (const name of new Set(missing))
    context.addIssue({ code: 'custom', path: ['example'], message: `lacks ${name}, which a sentence names` })
})

/** The facts that a sentence names. Throws where it is not ICU MessageFormat. */
function factNames(sentence: string): string[] {
  const namesIn = (parts: Part[]): string[] =>
    parts.flatMap(({ type, value, options = {} }) => [
      ...(value && type !== literal ? [value] : []),
      ...Object.values(options).flatMap(it => namesIn(it.value)),
    ])
  return namesIn(new IntlMessageFormat(sentence, 'en', {}, { ignoreTag: true }).getAst() as Part[])
}

interface Part {
  type: number
  value?: string
  options?: Record<string, { value: Part[] }>
}
const literal = 0

function isMessage(sentence: string): boolean {
  try {
    factNames(sentence)
    return true
  } catch {
    return false
  }
}

/** Registers nothing: `kindsOf` reads the kinds where they are used. */
export const notificationHost: PluginHost = {
  shape: {
    notifications: z.record(z.string(), KindShape).optional(),
    notificationsFor: z.custom<object>(it => typeof it === 'function', 'must be a function').optional(),
    channel: channelShape.optional(),
  },
  add: () => undefined,
}
