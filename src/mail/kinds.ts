import { z } from 'zod'
import type { Speech } from '../platform/i18n.ts'
import type { PluginHost } from '../plugin/registry.ts'
import type { Quote } from './content.ts'
import type { MailItem } from './items.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /** What it mails, by `<name>.<word>`: a workspace may put each in its own words. */
      mails?: Record<string, Mail>
    }
  }
}

/** Values for the placeholders of a mail, by name. `workspace` is always there. */
export type Facts = Record<string, string | number>

/** A kind of mail. */
export interface Mail {
  /** As staff see it in a list. */
  label: string
  /** What its words may name, each with an example. */
  facts: Facts
  words(t: Speech['t'], facts: Facts): Words
  /** Whether it is needed to sign in or verify. Such mails are sent first. */
  urgent?: boolean
}

/** The text of a mail, with placeholders in braces. */
export interface Words {
  subject: string
  paragraphs: string[]
  /** What somebody wrote, in their own words. Empty ones are left out. */
  quotes?: Quote[]
  /** Facts with their labels: number, title, total. */
  details?: [label: string, value: string][]
  /** Several things, each with a link of its own. */
  items?: MailItem[]
  /** What the button says. */
  action?: string
  after: string[]
  /** Why the reader gets it, as a sentence. If not given: because of their account. */
  why?: string
}

const person = { name: 'Jo Vos', email: 'jo@example.com' }

const signed = {
  ...{ name: person.name, number: 'P-2026-031', version: 2, client: 'Acme' },
  ...{ what: 'Relaunch', total: '€16,736.72' },
}

const signedDetails = (t: Speech['t'], { number, version, total }: Facts): [label: string, value: string][] => [
  [t('Document'), `${number} (${t('version {version}', { version: String(version) })})`],
  ...(total ? ([[t('Total'), String(total)]] as [string, string][]) : []),
]

/** The mails of the portal itself. A workspace may put subject and paragraphs in its own words. */
const own = {
  'sign-in': {
    urgent: true,
    label: 'Code to sign in',
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      // Phones offer to fill in a code that they find in the subject.
      subject: t('{code} is your code for {workspace}', it),
      paragraphs: [t('Use this code to sign in to your {workspace} portal:', it)],
      action: t('Or sign in without typing'),
      after: [
        t(
          'The code and the link each work once and expire in {minutes} minutes. Nobody at {workspace} will ever ask you for the code. If you didn’t try to sign in, you can ignore this e-mail.',
          it,
        ),
      ],
    }),
  },
  'step-up': {
    urgent: true,
    label: 'Code to confirm that it is you',
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      subject: t('{code} is your code for {workspace}', it),
      paragraphs: [t('Use this code to confirm that it’s you in your {workspace} portal:', it)],
      after: [
        t(
          'It works once and expires in {minutes} minutes. Nobody at {workspace} will ever ask you for it. If you’re not using the portal right now, somebody else is in your account: change your password.',
          it,
        ),
      ],
    }),
  },
  invitation: {
    urgent: true,
    label: 'Invitation',
    facts: { invitedBy: 'Marta Lindqvist', client: 'Acme' },
    words: (t, it) => ({
      subject: t('{invitedBy} invited you to the {workspace} portal', it),
      paragraphs: [
        t('{invitedBy} invited you to the {workspace} portal, for {client}.', it),
        t(
          'See your proposals and invoices from {workspace}, and answer what needs you. It takes a minute to set up.',
          it,
        ),
      ],
      action: t('Open the portal'),
      after: [t('The link is personal, works once and expires in seven days.')],
      why: t('You get this because {invitedBy} invited you.', it),
    }),
  },
  recall: {
    label: 'Invitation to open the portal again',
    facts: { invitedBy: 'Marta Lindqvist', client: 'Acme' },
    words: (t, it) => ({
      subject: t('Your {workspace} portal for {client}', it),
      paragraphs: [
        t('{invitedBy} reminds you that you have access to the {workspace} portal for {client}.', it),
        t('You can read your documents from {workspace} there, and answer what needs you.', it),
      ],
      action: t('Open the portal'),
      after: [],
      why: t('You get this because {invitedBy} asked us to remind you.', it),
    }),
  },
  renewal: {
    label: 'Request for a new invitation',
    facts: person,
    words: (t, it) => ({
      subject: t('{name} asks for a new invitation', it),
      paragraphs: [t('{name} ({email}) was invited to your {workspace} portal, but the invitation has expired.', it)],
      action: t('Invite again'),
      after: [t('If you don’t know this person, you can ignore this e-mail.')],
      why: t('You get this because you manage your company’s team.'),
    }),
  },
  registration: {
    urgent: true,
    label: 'Asking for access: confirm the address',
    facts: {},
    words: (t, it) => ({
      subject: t('Confirm your e-mail address'),
      paragraphs: [t('Someone, probably you, asked for access to the {workspace} portal with this address.', it)],
      action: t('Confirm this address'),
      after: [t('The link works once and expires in seven days. If this wasn’t you, you can ignore this e-mail.')],
      why: t('You get this because access was requested with this address.'),
    }),
  },
  'registration-known': {
    urgent: true,
    label: 'Asking for access: has it already',
    facts: {},
    words: (t, it) => ({
      subject: t('You already have access'),
      paragraphs: [
        t(
          'Someone, probably you, asked for access to the {workspace} portal with this address. It already has access.',
          it,
        ),
      ],
      action: t('Sign in'),
      after: [t('If this wasn’t you, you can ignore this e-mail.')],
    }),
  },
  refusal: {
    label: 'Asking for access: refused',
    facts: { client: 'Acme' },
    words: (t, it) => ({
      subject: t('No access to the portal of {workspace}', it),
      paragraphs: [t('You asked for access to the {workspace} portal for {client}. Your request was declined.', it)],
      after: [t('If you think this is a mistake, contact {workspace}.', it)],
      why: t('You get this because access was requested with this address.'),
    }),
  },
  reset: {
    urgent: true,
    label: 'Forgot the password',
    facts: { minutes: 30 },
    words: (t, it) => ({
      subject: t('Choose a new password'),
      paragraphs: [t('Someone, probably you, asked to reset the password for your {workspace} portal.', it)],
      action: t('Choose a new password'),
      after: [
        t(
          'The link works once and expires in {minutes} minutes. If this wasn’t you, ignore this e-mail. Your password stays the same.',
          it,
        ),
      ],
    }),
  },
  'password-changed': {
    label: 'The password was changed',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Your password was changed'),
      paragraphs: [
        t(
          'The password for your {workspace} portal was changed on {time}. Your other devices have been signed out.',
          it,
        ),
      ],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  unlock: {
    urgent: true,
    label: 'Sign-in is locked',
    facts: {},
    words: (t, it) => ({
      subject: t('Your sign-in is locked'),
      paragraphs: [
        t(
          'There were too many wrong passwords for your {workspace} portal, so password sign-in is locked for a while.',
          it,
        ),
        t('If this was you, this link lets you try again right away.'),
      ],
      action: t('Unlock my sign-in'),
      after: [
        t(
          'The link works once and expires in an hour. If this wasn’t you, you can ignore it: nobody got in, and you stay signed in on your devices.',
        ),
      ],
    }),
  },
  address: {
    urgent: true,
    label: 'New e-mail address: confirm it',
    facts: {},
    words: (t, it) => ({
      subject: t('Confirm your new e-mail address'),
      paragraphs: [t('Confirm that you want to use this address for your {workspace} portal.', it)],
      action: t('Confirm this address'),
      after: [t('The link works once and expires in an hour. If this wasn’t you, you can ignore this e-mail.')],
    }),
  },
  'address-changed': {
    label: 'New e-mail address: told to the old one',
    facts: { email: person.email },
    words: (t, it) => ({
      subject: t('Your e-mail address was changed'),
      paragraphs: [t('Your {workspace} portal now uses {email}.', it)],
      action: t('Undo this'),
      after: [
        t(
          'If this was you, you don’t need to do anything. If not, undo it within seven days: all devices are signed out and you choose a new password.',
        ),
      ],
    }),
  },
  'signed-copy': {
    label: 'Signed copy, to the signer',
    facts: signed,
    words: (t, it) => ({
      subject: t('{number}: the signed copy', it),
      paragraphs: [
        it.total
          ? t('You accepted “{what}” for {total}. Your signed copy is attached.', it)
          : t('You accepted “{what}”. Your signed copy is attached.', it),
        t('Keep this file. It is sealed, so any change to it can be detected.'),
      ],
      details: signedDetails(t, it),
      action: t('See the evidence'),
      after: [t('Wasn’t you? Contact {workspace} right away.', it)],
      why: t('You get this because it was accepted in your name.'),
    }),
  },
  'signed-copy-company': {
    label: 'Signed copy, for the company’s own address',
    facts: signed,
    words: (t, it) => ({
      subject: t('{number}: the signed copy', it),
      paragraphs: [
        it.total
          ? t('{name} accepted “{what}” for {total}, for {client}. The signed copy is attached.', it)
          : t('{name} accepted “{what}”, for {client}. The signed copy is attached.', it),
        t('Keep this file. It is sealed, so any change to it can be detected.'),
      ],
      details: signedDetails(t, it),
      action: t('See the evidence'),
      after: [],
      why: t('You get this because {workspace} sends signed copies to this address.', it),
    }),
  },
  'answer-refused': {
    label: 'A response that came too late',
    facts: { number: 'P-2026-031', what: 'Relaunch' },
    // `act` is no placeholder: a workspace's own words are for both.
    words: (t, it) => ({
      subject: t('{number}: your response came too late', it),
      paragraphs: [
        it.act === 'declined'
          ? t('You declined “{what}”, but {workspace} changed it before that arrived. Nothing was declined.', it)
          : t('You accepted “{what}”, but {workspace} changed it before that arrived. Nothing was accepted.', it),
        t('Read the current version and respond to it.'),
      ],
      details: [[t('Document'), String(it.number)]],
      action: t('View the current version'),
      after: [],
      why: t('You get this because you responded to it.'),
    }),
  },
  'approval-asked': {
    label: 'A colleague asks for an acceptance',
    facts: { name: person.name, number: 'P-2026-031', what: 'Relaunch', total: '€16,736.72', day: '24 November 2026' },
    words: (t, it) => ({
      subject: t('{name} asks you to review {number}', it),
      paragraphs: [
        it.day
          ? t('{name} asks you to review “{what}” from {workspace}. The price of {total} holds until {day}.', it)
          : t('{name} asks you to review “{what}” from {workspace}. It comes to {total}.', it),
      ],
      details: [
        [t('Document'), String(it.number)],
        [t('Title'), String(it.what)],
        [t('Total'), String(it.total)],
        ...(it.day ? ([[t('Price holds until'), String(it.day)]] as [string, string][]) : []),
      ],
      action: t('Review'),
      after: [t('Nothing is accepted until you read and sign it.')],
      why: t('You get this because you can accept or decline it.'),
    }),
  },
  device: {
    label: 'Sign-in from a new device',
    facts: { device: 'Firefox, Windows', address: '203.0.113.7', time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Sign-in from a new device'),
      paragraphs: [
        t('Someone, probably you, signed in to your {workspace} portal from a new device:', it),
        t('{device}, {address}, {time}', it),
      ],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  'factor-added': {
    label: 'A second factor was set up',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A second factor was set up'),
      paragraphs: [t('Your {workspace} portal has asked for a code from an authenticator app since {time}.', it)],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  'passkey-added': {
    label: 'A passkey was added',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A passkey was added'),
      paragraphs: [t('A passkey was added on {time}. It can sign in to your {workspace} portal.', it)],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  'factor-fewer': {
    label: 'One of several second factors was removed',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A second factor was removed'),
      paragraphs: [
        t(
          'One of the second factors for your {workspace} portal was removed on {time}. Another one is still required.',
          it,
        ),
      ],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  'factor-removed': {
    label: 'The second factor was turned off',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('The second factor was turned off'),
      paragraphs: [t('Your {workspace} portal no longer asks for a second factor, since {time}.', it)],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
  'copy-ready': {
    label: 'Copy of data ready',
    facts: {},
    words: t => ({
      subject: t('Your copy is ready'),
      paragraphs: [
        t('The copy of your data is ready. You can download it for one day after confirming that it’s you.'),
      ],
      action: t('Go to my data'),
      after: [t('If you didn’t ask for it, change your password right away: someone else is in your account.')],
    }),
  },
  'factor-reset': {
    label: 'The second factor was taken off by staff',
    facts: { by: 'Marta Lindqvist', time: '22 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Your second factor is being removed'),
      paragraphs: [
        t(
          '{by} at {workspace} is removing the second factor from your account because someone reported it lost. It will be removed on {time}, and you will be signed out on all devices.',
          it,
        ),
      ],
      action: t('Sign in'),
      after: [
        t(
          'If you still have it, sign in with it before then to keep it. If you didn’t ask for this, tell {workspace} right away.',
          it,
        ),
      ],
    }),
  },
  'factor-reset-one': {
    label: 'One of several second factors was taken off by staff',
    facts: { by: 'Marta Lindqvist', factor: 'Phone', time: '22 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A second factor is being removed: {factor}', it),
      paragraphs: [
        t(
          '{by} at {workspace} is removing {factor} from the second factors of your account, because someone reported it lost. It will be removed on {time}, and you will be signed out on all devices. Another one is still required.',
          it,
        ),
      ],
      action: t('Sign in'),
      after: [
        t(
          'If you still have it, sign in with it before then to keep it. If you didn’t ask for this, tell {workspace} right away.',
          it,
        ),
      ],
    }),
  },
  recovered: {
    label: 'A recovery code was used',
    facts: { left: 9 },
    words: (t, it) => ({
      subject: t('A recovery code was used'),
      paragraphs: [
        t('Someone, probably you, signed in to your {workspace} portal with a recovery code. {left} are left.', it),
      ],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
} satisfies Record<string, Mail>

/** A plugin's are named `<plugin>.<word>`. */
export type MailKind = keyof typeof own | `${string}.${string}`

/** All kinds of mail that there are, with those of plugins. */
export const coreMails: Record<string, Mail> = { ...own }

const addMails = (mails: Record<string, Mail>) => Object.assign(coreMails, mails)

export const mailContentOf = (kind: string): Mail | undefined =>
  Object.hasOwn(coreMails, kind) ? coreMails[kind] : undefined

/** Throws where there is no such kind. */
export function mailOf(kind: MailKind): Mail {
  const mail = mailContentOf(kind)
  if (!mail) throw new Error(`There is no mail of the kind ${kind}.`)
  return mail
}

/** The default text with its placeholders, for a workspace that edits it. */
export function template(kind: MailKind, t: Speech['t']): { subject: string; body: string } {
  const gaps = Object.fromEntries(placeholders(kind).map(it => [it, `{${it}}`]))
  const { subject, paragraphs } = mailOf(kind).words(t, gaps)
  return { subject, body: paragraphs.join('\n\n') }
}

export const placeholders = (kind: MailKind): string[] => ['workspace', ...Object.keys(mailOf(kind).facts)]

/** Words with their gaps filled, once: what fills one may have braces of its own. */
export const filled = (text: string, facts: Facts): string =>
  text.replace(/\{(\w+)\}/g, (gap, name) => (Object.hasOwn(facts, name) ? String(facts[name]) : gap))

const Shape = z.object({ label: z.string(), facts: z.object({}), words: z.custom(it => typeof it === 'function') })

/** Takes the mails of plugins. */
export const mailHost: PluginHost = {
  shape: { mails: z.record(z.string(), Shape).optional() },
  add: it => addMails(it.mails ?? {}),
}
