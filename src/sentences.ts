import type { EventKind, Section, Told } from './section.ts'

/** What events leave that belong to no section. Sections bring their own. */
const core: Record<string, Told> = {
  'account.signed-in': { kind: 'sign-in', says: 'signed in' },
  'account.sign-in-failed': { kind: 'sign-in', says: 'could not sign in' },
  'account.signed-out': { kind: 'sign-in', says: 'signed out' },
  'account.copy-asked': 'asked for a copy of the own data',
  'account.copy-taken': { kind: 'download', says: 'took the copy of the own data' },
  'account.deletion-asked': 'asked for the end of the own account',
  'account.deletion-withdrawn': 'keeps the own account',
  'account.deletion-waits':
    'does not end the account of {name} yet, who asked for it: nobody else is an admin of {client}',
  'account.deleted': 'ended an account whose owner had asked for it',
  'account.token-made': 'made the token {name} for a program',
  'account.token-ended': 'ended the token {name} of a program',
  'account.token-reused': {
    kind: 'sign-in',
    says: 'used a token of a program again that was used up: its sign-in has ended',
  },
  'account.password-changed': 'chose a new password',
  'account.address-changed': 'changed the own e-mail address',
  'account.address-undone': 'took back a change of the e-mail address',
  'account.joined': { kind: 'sign-in', says: 'accepted the invitation' },
  'team.changed':
    'made {name} {after, select, admin {an admin} approver {an approver} billing {a billing contact} member {a member} other {a viewer}}',
  'team.limited':
    'changed how much {name} may accept: {before, select, none {no limit} other {up to {before}}} before, {after, select, none {no limit} other {up to {after}}} now',
  'team.removed': 'ended the access of {name}',
  'team.revoked': 'took back the invitation of {email} for {client}',
  'team.asked': 'asked for a new invitation, for {email}',
  'people.registered': 'asks for access for {client}, as {email}',
  'people.refused': 'refused access to {email} for {client}',
  'people.coded': 'made a new customer code for {client}',
  'people.suspended': 'suspended {name}',
  'people.admitted': 'let {name} in again',
  'team.invited': 'invited {email} for {client}',
  'account.proven': {
    kind: 'sign-in',
    says: 'confirmed who they are, by {by, select, password {password} code {code} passkey {passkey} recovery {recovery code} other {code of the app}}',
  },
  'account.passkey-added': 'added the passkey {name}',
  'account.passkey-removed': 'removed a passkey',
  'account.factor-added': 'set up a second factor',
  'account.factor-removed': 'turned the second factor off',
  'account.recovery-renewed': 'made new recovery codes',
  'account.recovered': { kind: 'sign-in', says: 'came in by a recovery code' },
  'people.factor-reset': 'takes the second factor off the account of {name}, a day from then',
  'people.factor-kept': 'left the second factor on the account of {name}',
  'people.factor-ended': 'A second factor went that staff had taken off',
  'staff.factor-reset': 'took the second factor off the staff account of {name}, by the command line',
  'account.factor-kept': 'used the second factor that staff were taking off, and keeps it',
  'settings.demand': 'asks for a second factor: {state}',
  'account.ended': {
    kind: 'sign-in',
    says: 'signed out {count, plural, one {another device} other {# other devices}}',
  },
  'account.disowned': { kind: 'sign-in', says: 'said that it was somebody else, and signed everybody out' },
  'account.changed': 'changed the own account',
  'links.made':
    'made a public link to {number}, good for {days, plural, one {a day} other {# days}}{email, select, nobody {} other {, and mailed it to {email}}}',
  'links.revoked': 'took back a public link to {number}',
  'links.opened': { kind: 'view', says: 'opened a public link to {number}' },
  'links.fetched': { kind: 'view', says: 'fetched {number} by a public link, as programs do' },
  'links.proven': { kind: 'sign-in', says: 'confirmed who they are, by a code, for the public link to {number}' },
  'activity.exported': { kind: 'download', says: 'exported {rows, plural, one {# row} other {# rows}} of activity' },
  'roles.renamed': 'renamed the role {before} to {after}',
  'roles.changed': '{state, select, true {allowed} other {no longer allows}} the role {role}: {label}',
  'settings.branded':
    'changed the {id, select, name {name} colour {colour} welcome {words of the sign-in page} other {logo}} of the portal',
  'settings.excepted': 'set {label} to {state, select, on {on} off {off} other {as inherited}} for {whom}',
  'settings.signing': 'changed how clients sign',
  'settings.reminders':
    'changed when clients are reminded, in days before the end: {before, select, none {never} other {{before}}} before, {after, select, none {never} other {{after}}} now',
  'answers.exported': {
    kind: 'download',
    says: 'wrote the evidence of {count, plural, one {# answer} other {# answers}} into files, by the command line',
  },
  'answers.retried': 'passed the answer to {number} on again',
  'settings.reworded': 'put the mail in other words: {label} ({language})',
  'settings.rung':
    'asks {state, select, none {for nothing more} second {for the second factor} other {for a fresh proof}} before: {label}',
  'settings.changed': 'switched {label} {state, select, true {on} other {off}}',
}

/** The sentence of each event. */
export const sentencesOf = (sections: Section[]): Record<string, string> => mapped(sections, wordsOf)

/** Of what kind each event is. */
export const kindsOf = (sections: Section[]): Record<string, EventKind> =>
  mapped(sections, it => (typeof it === 'string' ? 'change' : it.kind))

/** The words of what an event leaves. */
export const wordsOf = (it: Told): string => (typeof it === 'string' ? it : it.says)

function mapped<T>(sections: Section[], of: (it: Told) => T): Record<string, T> {
  const all: Record<string, Told> = Object.assign({}, core, ...sections.map(it => it.activity))
  return Object.fromEntries(Object.entries(all).map(([event, it]) => [event, of(it)]))
}
