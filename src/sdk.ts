/** The public API for plugins, as `portico/sdk`: see docs/plugins.md. */

export type { Migrated, Roles } from '../knexfile.ts'
export type { Client, Contact, Customer, Person, Ports, Role, Staff, Workspace } from './crm/crm.ts'
export { listed } from './crm/mapping/listing.ts'
export type { CrmMap, Owned } from './crm/mapping/map.ts'
export { belongs, checked, customerValues } from './crm/mapping/owned.ts'
export { day, hintIndex, keyOfType, placeOf, type Reader, text } from './crm/mapping/reader.ts'
export type { Ask, MapPart } from './crm/mapping/section.ts'
export { fingerprintOf } from './evidence/canonical.ts'
export type { SignedResponseFacts } from './evidence/composition.ts'
export { consentOf, policyOf } from './evidence/policy.ts'
export { signatureFields, signatureIn } from './evidence/signature.ts'
export { type KeptResponse, responsesTo, sign } from './evidence/signing.ts'
export type { SignedFacts, SignedRecord, SignedResponse, SignedSubject, Submission } from './evidence/subject.ts'
export type { RequestContext } from './http/context.ts'
export { Conflict, Forbidden, Gone, Invalid, NotFound, Problem, TooMany } from './http/errors.ts'
export { filterOf, type ListFilter } from './http/filter.ts'
export { read } from './http/forms.ts'
export { keyOf, type Page, page, pageOf } from './http/paging.ts'
export { showAgainOnError } from './http/respond.ts'
export { anybody, type Rule } from './http/rules.ts'
export type { Facts, Mail, Words } from './mail/kinds.ts'
export type { ChannelMessage, NotificationChannel } from './notifications/channels.ts'
export type { NotificationFacts } from './notifications/kinds.ts'
export {
  type Notice as NotificationNotice,
  notifyPeople,
  type Reader as NotificationReader,
} from './notifications/notify.ts'
export type { PrintedDocument } from './pdf/pdf.ts'
export { printedDocument, sendPdf } from './pdf/print.ts'
export { type Event, recordEvent, recordEventIn } from './platform/activity.ts'
export { query, readWithin, type Scope, type Statement, within } from './platform/database.ts'
export { tellChange, tellSignal } from './platform/events.ts'
export type { Money } from './platform/money.ts'
export { rowSecurity } from './platform/row-security.ts'
export { type ActionContext, type RunAction, runAction } from './plugin/action.ts'
export type { Capabilities, CapabilityOf } from './plugin/capabilities.ts'
export type { Action, Figure, Home, Need, News, Notice } from './plugin/dashboard.ts'
export type {
  Attached,
  DocumentReader,
  MailReply,
  Permission,
  PluginAudit,
  PluginCommand,
  PluginOption,
  Privacy,
  Refusal,
  Toggle,
  WebhookCall,
} from './plugin/parts.ts'
export { admins, anyMember, clientAdmins, identified, may, stepUp } from './plugin/permissions.ts'
export type { Host, PluginQueue, QueuedJob } from './plugin/plugin.ts'
export {
  type AccountPages,
  type Job,
  type PluginDefinition,
  type Section as Plugin,
  type SettingsPage,
  type Slot,
  section as plugin,
} from './plugin/plugin.ts'
export type { Subject, SubjectRecord } from './plugin/subjects.ts'
// Brings every part of the request context, whichever module declares it.
export type { Portal } from './portal.ts'
export { attachedTo, mailRecipients, recipientsOf, runStaffAction } from './settings/plugin-actions.ts'
export { optionOf, optionsOf, saveOption } from './settings/plugin-options.ts'
