import type { EventSentence, Toggle } from '../../src/plugin/parts.ts'

/** What a kind of offer is, and how it is called: all that proposals and quotations differ in. */
const change = { kind: 'change' as const }

export interface Definition {
  /** The word for its folder, address, port, permissions and events: `proposals`. */
  name: string
  /** One of them, in English: `proposal`. */
  one: string
  /** A name of Tabler's. */
  icon: string
  order: number
  /** The question of the audit whether clients can view them. */
  question: string
}

type Switch = Omit<Toggle, 'default'>

/** All sentences that name a kind of offer, in English: they are the keys of the plugin's translations. */
export function wordingOf(definition: Definition) {
  const { name, one } = definition
  const many = name.replaceAll('-', ' ')
  return {
    title: capital(many),
    permissions: {
      see: `See ${many}`,
      answer: `Accept and decline ${many}`,
      comment: `Ask about ${many}`,
      accept: `Accept and sign ${many}`,
    },
    toggles: togglesOf(many),
    activity: activityOf(one),
    notifications: notificationsOf(name, one, many),
    optional: optionalPartsOf(one, many),
    pages: {
      one: capital(one),
      many: capital(many),
      search: `Search ${many}`,
      filter: `Filter ${many}`,
      noneFits: `No ${many} found`,
      all: `Show all ${many}`,
      none: `No ${many} yet`,
      withdrawn: `{workspace} has withdrawn this ${one}.`,
      respond: `Respond to ${many}`,
      back: `Back to the ${one}`,
      view: `View the ${one}`,
      decline: `Decline this ${one}`,
      numbered: `${capital(one)} {number}`,
      held: `${capital(one)} {number} · the price holds until {day}`,
      state: `{${argumentOf(one)}, select, accepted {Accepted} declined {Declined} expired {Expired} withdrawn {Withdrawn} other {Waiting for you}}`,
      chip: `{${argumentOf(name)}, select, all {All} accepted {Accepted} declined {Declined} expired {Expired} other {Waiting for you}}`,
    },
  }
}

const notificationsOf = (name: string, one: string, many: string) => ({
  sent: {
    label: `New ${many}`,
    group: 'money' as const,
    sentence: `{version, plural, =1 {New ${one} {number}: {title}} other {New version of ${one} {number}: {title}}}`,
    about: '{total}',
    example: { version: 1, number: '2026-031', title: 'Shop relaunch', total: { amount: '16736.72', currency: 'EUR' } },
  },
  withdrawn: {
    label: `Withdrawn ${many}`,
    group: 'money' as const,
    sentence: `The ${one} {number} was withdrawn: {title}`,
    about: '{total}',
    example: { number: '2026-031', title: 'Shop relaunch', total: { amount: '16736.72', currency: 'EUR' } },
    chosenWith: `${name}.sent`,
  },
})

const togglesOf = (many: string) =>
  ({
    all: { label: capital(many), about: `Clients see the ${many} you sent them, with status and total.` },
    responses: {
      label: `Accepting ${many}`,
      about: `Clients accept and sign ${many} here, or decline them. Switched off, they can only read.`,
    },
    quantities: {
      label: `Quantities in ${many}`,
      about: 'Clients choose quantities of optional items.',
    },
    parts: {
      label: `Accepting a part of ${many}`,
      about: 'Clients can leave out lines and accept the rest, where your CRM supports it.',
    },
  }) satisfies Record<string, Switch>

const activityOf = (one: string) =>
  ({
    viewed: { kind: 'view', sentence: `looked at ${one} {number}` },
    downloaded: { kind: 'download', sentence: `downloaded ${one} {number}` },
    attachment_downloaded: { kind: 'download', sentence: `downloaded “{file}” of ${one} {number}` },
    accepted: { ...change, sentence: `accepted ${one} {number}, version {version}`, weekly: 'Accepted' },
    declined: { ...change, sentence: `declined ${one} {number}, version {version}: {reason}`, weekly: 'Declined' },
    countersigned: `countersigned ${one} {number}, version {version}`,
    asked: `asked for the acceptance of ${one} {number}`,
  }) satisfies Record<string, EventSentence>

/** What they have only where another plugin is installed, by its name. */
const optionalPartsOf = (one: string, many: string) => ({
  comments: {
    toggle: {
      label: `Questions on ${many}`,
      about: `Clients ask about ${many} or one of their lines, and you answer in these settings.`,
    },
    activity: {
      commented: { ...change, sentence: `asked about ${one} {number}`, weekly: 'Questions' },
      replied: `answered a question on ${one} {number}`,
    },
  },
  reminders: {
    toggle: {
      label: `Reminders of ${many}`,
      about: `People who can answer get an e-mail before ${a(one)} expires, as set under Reminders.`,
      withoutMail: 'E-mail isn’t set up, so nobody is reminded.',
    },
    activity: {
      reminded: `reminded {count, plural, one {# person} other {# people}} of ${one} {number}, version {version}`,
    },
  },
  links: {
    toggle: {
      label: `Links to one ${one}`,
      about: `Share ${a(one)} by a link that needs no account. Signers get a code by e-mail first.`,
      withoutMail: `Share ${a(one)} by a link that needs no account. It can be read but not signed.`,
    },
  },
})

/** How the sentences that depend on a status name it: each kind has sentences of its own, for languages with genders. */
export const argumentOf = (word: string) => word.replaceAll(/\W/g, '_')

const a = (one: string) => `${/^[aeiou]/.test(one) ? 'an' : 'a'} ${one}`

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
