import type { EventKind, EventSentence } from './parts.ts'
import type { Section } from './plugin.ts'

/** What events leave that belong to no section. Sections bring their own. */
export const coreSentences: Record<string, EventSentence> = {
  'account.signed-in': { kind: 'sign-in', sentence: 'signed in', weekly: 'Sign-ins' },
  'account.signed-in-with': { kind: 'sign-in', sentence: 'signed in with {title}', weekly: 'Sign-ins' },
  'account.sign-in-failed': { kind: 'sign-in', sentence: 'could not sign in' },
  'account.signed-out': { kind: 'sign-in', sentence: 'signed out' },
  'account.token-reused': {
    kind: 'sign-in',
    sentence: 'used a token of a program again that was used up: its sign-in has ended',
  },
  'account.password-changed': 'chose a new password',
  'account.address-changed': 'changed their e-mail address',
  'account.address-undone': 'undid a change of their e-mail address',
  'account.joined': { kind: 'sign-in', sentence: 'accepted the invitation' },
  'team.changed':
    'made {name} {after, select, admin {an admin} approver {an approver} billing {a billing contact} member {a member} other {a viewer}}',
  'team.limited':
    'changed how much {name} may accept: {before, select, none {no limit} other {up to {before}}} before, {after, select, none {no limit} other {up to {after}}} now',
  'team.removed': 'ended the access of {name}',
  'team.revoked': 'revoked the invitation of {email} for {client}',
  'team.asked': 'asked for a new invitation, for {email}',
  'people.registered': 'asks for access for {client}, as {email}',
  'people.refused': 'refused access to {email} for {client}',
  'people.code_made': 'made a new customer code for {client}',
  'people.viewed-as': { kind: 'view', sentence: 'viewed the portal as {name}' },
  'people.recalled': 'reminded {name} of the portal',
  'people.suspended': 'suspended {name}',
  'people.admitted': 'let {name} in again',
  'team.invited': 'invited {email} for {client}',
  'account.verified': {
    kind: 'sign-in',
    sentence:
      'confirmed who they are, by {by, select, password {password} code {code} passkey {passkey} recovery {recovery code} other {code of the app}}',
  },
  'account.passkey-added': 'added the passkey {name}',
  'account.passkey-removed': 'removed a passkey',
  'account.factor-added': 'set up a second factor',
  'account.factor-removed': 'turned the second factor off',
  'account.recovery-renewed': 'made new recovery codes',
  'account.recovered': { kind: 'sign-in', sentence: 'signed in with a recovery code' },
  'people.factor-reset': 'removes the second factor of {name} in a day',
  'people.one-factor-reset': 'removes {factor} from the second factors of {name} in a day',
  'people.one-factor-kept': 'kept {factor} among the second factors of {name}',
  'people.signed-out': {
    kind: 'sign-in',
    sentence: 'signed out {name} on {count, plural, one {a device} other {# devices}}',
  },
  'people.factor-kept': 'kept the second factor of {name}',
  'people.factor-ended': 'A second factor was removed at the request of staff',
  'staff.factor-reset': 'removed the second factor of the staff account of {name}, by the command line',
  'account.factor-kept': 'used the second factor that staff were removing, and keeps it',
  'settings.mfa_policy': 'asks for a second factor: {state}',
  'account.ended': {
    kind: 'sign-in',
    sentence: 'signed out {count, plural, one {another device} other {# other devices}}',
  },
  'account.reported': { kind: 'sign-in', sentence: 'reported an unknown sign-in and signed out all devices' },
  'account.changed': 'changed their account',
  'account.profile-changed':
    'changed their {fields, select, name {name} phone {phone number} other {name and phone number}}',
  'account.photo-changed': 'changed their photo',
  'account.photo-removed': 'removed their photo',
  'people.contact-submitted': 'submitted the contact details of {name} to the CRM again',
  'people.contact-taken':
    'took the {field, select, name {name} email {e-mail address} other {phone number}} of {name} over into the CRM',
  'people.contact-left':
    'left the {field, select, name {name} email {e-mail address} other {phone number}} of {name} in the CRM as it was',
  'activity.downloaded': {
    kind: 'download',
    sentence: 'downloaded {rows, plural, one {# row} other {# rows}} of activity',
  },
  'roles.renamed': 'renamed the role {before} to {after}',
  'roles.changed': '{state, select, true {allowed} other {no longer allows}} the role {role}: {label}',
  'settings.branded':
    'changed the {id, select, name {name} colour {colour} welcome {words of the sign-in page} other {logo}} of the portal',
  'settings.exception': 'set {label} to {state, select, on {on} off {off} other {as inherited}} for {whom}',
  'settings.portal-off': 'switched the portal off for {client}',
  'settings.portal-on': 'switched the portal on for {client}',
  'settings.signing': 'changed how clients sign',
  // As it was called before reminders were a plugin.
  'settings.reminders':
    'changed when clients are reminded, in days before the end: {before, select, none {never} other {{before}}} before, {after, select, none {never} other {{after}}} now',
  'evidence.exported': {
    kind: 'download',
    sentence: 'exported the evidence of {count, plural, one {# response} other {# responses}} by the command line',
  },
  'evidence.downloaded': { kind: 'download', sentence: 'downloaded the signed PDF of {number}' },
  'files.infected': 'found a virus in {number} ({threat}) and deleted the file',
  'evidence.resubmitted': 'submitted the response to {number} again',
  'settings.reworded': 'changed the e-mail text: {label} ({language})',
  'settings.step_up':
    'asks {state, select, none {for nothing more} second {for the second factor} other {for a recent verification}} before: {label}',
  'settings.set': 'changed {label} from “{before}” to “{after}”',
  'settings.replaced': 'changed {label}',
  'settings.changed': 'switched {label} {state, select, true {on} other {off}}',
}

/** The sentence of each event. */
export const sentencesOf = (sections: Section[]): Record<string, string> => mapped(sections, wordsOf)

/** Of what kind each event is. */
export const kindsOf = (sections: Section[]): Record<string, EventKind> =>
  mapped(sections, it => (typeof it === 'string' ? 'change' : it.kind))

/** The events that are counted by week, each with its label. */
export const weeklyOf = (sections: Section[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(mapped(sections, it => (typeof it === 'string' ? undefined : it.weekly))).flatMap(
      ([event, label]) => (label ? [[event, label]] : []),
    ),
  )

/** The words of what an event leaves. */
export const wordsOf = (it: EventSentence): string => (typeof it === 'string' ? it : it.sentence)

function mapped<T>(sections: Section[], of: (it: EventSentence) => T): Record<string, T> {
  const all: Record<string, EventSentence> = Object.assign({}, coreSentences, ...sections.map(it => it.activity))
  return Object.fromEntries(Object.entries(all).map(([event, it]) => [event, of(it)]))
}
