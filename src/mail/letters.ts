import type { Speech } from '../language.ts'

/** What fills the gaps, by the name that stands in braces. All of them may name `workspace`. */
export type Facts = Record<string, string | number>

/** A kind of mail. */
export interface Mail {
  /** As staff see it in a list. */
  label: string
  /** What its words may name, each with an example. */
  facts: Facts
  words(t: Speech['t'], facts: Facts): Words
}

export interface Words {
  subject: string
  paragraphs: string[]
  /** What the button says. */
  action?: string
  after: string[]
}

const person = { name: 'Jo Vos', email: 'jo@example.com' }

/** The mails of the portal itself. A workspace may put subject and paragraphs in its own words. */
const own = {
  'sign-in': {
    label: 'Code to sign in',
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      // Phones offer to fill in a code that they find in the subject.
      subject: t('{code} is your code for {workspace}', it),
      paragraphs: [t('With this code you sign in to your portal with {workspace}:', it)],
      action: t('Or sign in without typing it'),
      after: [
        t(
          'Both are good once, for {minutes} minutes. Nobody of {workspace} will ever ask you for it. If you did not want to sign in, there is nothing to do.',
          it,
        ),
      ],
    }),
  },
  'step-up': {
    label: 'Code to confirm that it is you',
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      subject: t('{code} is your code for {workspace}', it),
      paragraphs: [t('With this code you confirm that it is you, in your portal with {workspace}:', it)],
      after: [
        t(
          'It is good once, for {minutes} minutes. Nobody of {workspace} will ever ask you for it. If you are not in the portal right now, somebody else is: choose a new password.',
          it,
        ),
      ],
    }),
  },
  link: {
    label: 'Link to one document',
    facts: { staff: 'Marta Lindqvist', number: 'P-2026-031', until: '21 Dec 2026' },
    words: (t, it) => ({
      subject: t('{number}, from {workspace}', it),
      paragraphs: [t('{staff} of {workspace} shares {number} with you. You can read it without an account.', it)],
      action: t('Read {number}', it),
      after: [
        t(
          'The link is good until {until}. Whoever has it can read the document, so pass it on only to whom it concerns. To sign, you get a code at this address.',
          it,
        ),
      ],
    }),
  },
  'link-code': {
    label: 'Code for a link to one document',
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      subject: t('{code} is your code for {workspace}', it),
      paragraphs: [t('With this code you show that it is you who opened a link of {workspace}:', it)],
      after: [
        t(
          'It is good once, for {minutes} minutes, in the browser where it was asked for. Who has it can sign in your name: nobody of {workspace} will ever ask you for it. If you opened no link, there is nothing to do.',
          it,
        ),
      ],
    }),
  },
  invitation: {
    label: 'Invitation',
    facts: { invitedBy: 'Marta Lindqvist', client: 'Acme' },
    words: (t, it) => ({
      subject: t('{invitedBy} invites you to the portal of {workspace}', it),
      paragraphs: [
        t('{invitedBy} invites you to the portal of {workspace}, for {client}.', it),
        t(
          'There you see what {workspace} has for you: proposals, invoices and what needs your answer. It takes a minute to come in.',
          it,
        ),
      ],
      action: t('Open the portal'),
      after: [t('The link is good once, for seven days, and only for you.')],
    }),
  },
  renewal: {
    label: 'Somebody asks for a new invitation',
    facts: person,
    words: (t, it) => ({
      subject: t('{name} asks for a new invitation', it),
      paragraphs: [t('{name} ({email}) was invited to your portal with {workspace}, and the invitation is over.', it)],
      action: t('Invite again'),
      after: [t('If you do not know this person, there is nothing to do.')],
    }),
  },
  registration: {
    label: 'Asking for access: confirm the address',
    facts: {},
    words: (t, it) => ({
      subject: t('Confirm your e-mail address'),
      paragraphs: [
        t('Somebody, most likely you, asked for access to the portal of {workspace} with this address.', it),
      ],
      action: t('Confirm this address'),
      after: [t('The link is good once, for seven days. If it was not you, there is nothing to do.')],
    }),
  },
  'registration-known': {
    label: 'Asking for access: has it already',
    facts: {},
    words: (t, it) => ({
      subject: t('You are here already'),
      paragraphs: [
        t(
          'Somebody, most likely you, asked for access to the portal of {workspace} with this address. It has access already.',
          it,
        ),
      ],
      action: t('Sign in'),
      after: [t('If it was not you, there is nothing to do.')],
    }),
  },
  refusal: {
    label: 'Asking for access: refused',
    facts: { client: 'Acme' },
    words: (t, it) => ({
      subject: t('No access to the portal of {workspace}', it),
      paragraphs: [t('You asked for access to the portal of {workspace} for {client}. It was not given.', it)],
      after: [t('If you think this is a mistake, ask whoever you know at {workspace}.', it)],
    }),
  },
  reset: {
    label: 'Forgot the password',
    facts: { minutes: 30 },
    words: (t, it) => ({
      subject: t('Choose a new password'),
      paragraphs: [t('Somebody, most likely you, asked for a new password for your portal with {workspace}.', it)],
      action: t('Choose a new password'),
      after: [
        t(
          'The link is good once, for {minutes} minutes. If it was not you, there is nothing to do: your password stays as it is.',
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
          'The password of your portal with {workspace} was changed on {time}. Wherever else you were signed in, you are signed out now.',
          it,
        ),
      ],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  unlock: {
    label: 'Sign-in is locked',
    facts: {},
    words: (t, it) => ({
      subject: t('Your sign-in is locked'),
      paragraphs: [
        t(
          'Somebody typed wrong passwords for your portal with {workspace} too often, so it takes none for a while.',
          it,
        ),
        t('If it was you, this link lets you try again at once.'),
      ],
      action: t('Unlock my sign-in'),
      after: [
        t(
          'The link is good once, for an hour. If it was not you, there is nothing to do: nobody came in, and wherever you are signed in you stay so.',
        ),
      ],
    }),
  },
  address: {
    label: 'New e-mail address: confirm it',
    facts: {},
    words: (t, it) => ({
      subject: t('Confirm your new e-mail address'),
      paragraphs: [t('You want to use this address for your portal with {workspace}.', it)],
      action: t('Confirm this address'),
      after: [t('The link is good once, for an hour. If it was not you, there is nothing to do.')],
    }),
  },
  'address-changed': {
    label: 'New e-mail address: told to the old one',
    facts: { email: person.email },
    words: (t, it) => ({
      subject: t('Your e-mail address was changed'),
      paragraphs: [t('Your portal with {workspace} now belongs to {email}.', it)],
      action: t('Undo this'),
      after: [
        t(
          'If it was you, there is nothing to do. If not, undo it within seven days: everybody is signed out then, and you choose a new password.',
        ),
      ],
    }),
  },
  'signed-copy': {
    label: 'Signed copy',
    facts: { name: person.name, number: 'P-2026-031', version: 2, client: 'Acme' },
    words: (t, it) => ({
      subject: t('{number}: the signed copy', it),
      paragraphs: [
        t('{name} accepted {number}, version {version}, for {client}. The signed document is attached.', it),
        t('Please keep it: it is sealed, so that any change of it can be seen.'),
      ],
      action: t('See the evidence'),
      after: [t('If you know nothing of this, tell {workspace} at once.', it)],
    }),
  },
  'answer-refused': {
    label: 'An answer that came too late',
    facts: { number: 'P-2026-031' },
    words: (t, it) => ({
      subject: t('{number}: your answer came too late', it),
      paragraphs: [
        t(
          'Before your answer to {number} reached the books of {workspace}, they had changed. Nothing was accepted or declined by it.',
          it,
        ),
      ],
      action: t('See how it is now'),
      after: [],
    }),
  },
  'approval-asked': {
    label: 'A colleague asks for an acceptance',
    facts: { name: person.name, number: 'P-2026-031', what: 'Relaunch' },
    words: (t, it) => ({
      subject: t('{name} asks you to look at {number}', it),
      paragraphs: [
        t('{name} would like {number}, “{what}”, of {workspace} to be accepted. Your role may do that.', it),
      ],
      action: t('Look at it'),
      after: [t('Nothing is accepted before you have read it and signed.')],
    }),
  },
  reminder: {
    label: 'Before an offer expires',
    facts: {
      ...{ number: 'P-2026-031', what: 'Relaunch', total: '€16,736.72', client: 'Acme', day: 'Tuesday 24 November' },
      account: 'https://crm.example/portal/acme/account',
    },
    words: (t, it) => ({
      subject: t('{number}: please answer by {day}', it),
      paragraphs: [
        t(
          '{number}, “{what}”, of {workspace} for {client} waits for an answer. The price of {total} holds until the end of {day}.',
          it,
        ),
      ],
      action: t('Look at it'),
      after: [
        t('Nothing is accepted before you have read it and signed.'),
        t(
          'You get this because you may answer it. If you want no reminders, switch them off under your account: {account}',
          it,
        ),
      ],
    }),
  },
  'comment-replied': {
    label: 'An answer to a question',
    facts: { staff: 'Marta Lindqvist', number: 'P-2026-031', text: '…' },
    words: (t, it) => ({
      subject: t('{staff} answered your question on {number}', it),
      paragraphs: [t('{staff} of {workspace} writes:', it), String(it.text)],
      action: t('Go on with it'),
      after: [],
    }),
  },
  device: {
    label: 'Sign-in from a new device',
    facts: { device: 'Firefox, Windows', address: '203.0.113.7', time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Sign-in from a new device'),
      paragraphs: [
        t(
          'Somebody, most likely you, signed in to your portal with {workspace} from a device that you have not used here before:',
          it,
        ),
        t('{device}, {address}, {time}', it),
      ],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  'factor-added': {
    label: 'A second factor was set up',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A second factor was set up'),
      paragraphs: [t('Your portal with {workspace} asks for a code of an authenticator app since {time}.', it)],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  'passkey-added': {
    label: 'A passkey was added',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A passkey was added'),
      paragraphs: [t('A new passkey opens your portal with {workspace} since {time}.', it)],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  'factor-fewer': {
    label: 'One of several second factors was removed',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('A second factor was removed'),
      paragraphs: [
        t(
          'One of your second factors for the portal with {workspace} was removed on {time}. Another one is still asked for.',
          it,
        ),
      ],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  'factor-removed': {
    label: 'The second factor was turned off',
    facts: { time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('The second factor was turned off'),
      paragraphs: [t('Your portal with {workspace} asks for no second factor any more, since {time}.', it)],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
  'copy-ready': {
    label: 'A copy of one’s own data is ready',
    facts: {},
    words: t => ({
      subject: t('Your copy is ready'),
      paragraphs: [
        t(
          'The copy of your data that you asked for is ready. It can be downloaded for a day, once you have shown that it is you.',
        ),
      ],
      action: t('Go to my data'),
      after: [t('If you did not ask for it, change your password: somebody is in your account.')],
    }),
  },
  'factor-reset': {
    label: 'The second factor was taken off by staff',
    facts: { by: 'Marta Lindqvist', time: '22 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Your second factor is being taken off'),
      paragraphs: [
        t(
          '{by} of {workspace} is taking the second factor off your account, because somebody said that it was lost. It goes on {time}, and you are signed out everywhere then.',
          it,
        ),
      ],
      action: t('Sign in'),
      after: [
        t(
          'If you still have it, sign in with it before: then it stays. And tell {workspace} at once if you did not ask for this.',
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
        t('Somebody, most likely you, came into your portal with {workspace} by a recovery code. {left} are left.', it),
      ],
      action: t('It was not me'),
      after: [t('If it was you, there is nothing to do.')],
    }),
  },
} satisfies Record<string, Mail>

/** A plugin's are named `<plugin>.<word>`. */
export type LetterKind = keyof typeof own | `${string}.${string}`

/** All kinds of mail that there are, with those of plugins. */
export const letters: Record<string, Mail> = { ...own }

export const addLetters = (mails: Record<string, Mail>) => Object.assign(letters, mails)

export const letterOf = (kind: string): Mail | undefined => (Object.hasOwn(letters, kind) ? letters[kind] : undefined)

/** Throws where there is no such kind. */
export function mailOf(kind: LetterKind): Mail {
  const mail = letterOf(kind)
  if (!mail) throw new Error(`There is no mail of the kind ${kind}.`)
  return mail
}

/** With each gap as it is written: what a workspace begins from when it wants other words. */
export function template(kind: LetterKind, t: Speech['t']): { subject: string; body: string } {
  const gaps = Object.fromEntries(placeholders(kind).map(it => [it, `{${it}}`]))
  const { subject, paragraphs } = mailOf(kind).words(t, gaps)
  return { subject, body: paragraphs.join('\n\n') }
}

export const placeholders = (kind: LetterKind): string[] => ['workspace', ...Object.keys(mailOf(kind).facts)]

/** Words with their gaps filled, once: what fills one may have braces of its own. */
export const filled = (text: string, facts: Facts): string =>
  text.replace(/\{(\w+)\}/g, (gap, name) => (Object.hasOwn(facts, name) ? String(facts[name]) : gap))
