/** The public API for a company's app and its adapter. */
export { type Audit, type AuditJson, audit, auditApp, type Inputs } from '../audit/index.ts'
export type { SignInStrategy } from './auth/sign-in-strategy.ts'
export type { Config } from './cli/config.ts'
export { acceptAudit } from './crm/activation/accept.ts'
export { Audited } from './crm/activation/audit.ts'
export type {
  Client,
  Colleague,
  Columns,
  Contact,
  ContactChange,
  ContactField,
  ContactOf,
  Crm,
  Customer,
  Directory,
  Identity,
  OwnedRecord,
  Person,
  Ports,
  Reads,
  Role,
  Staff,
  Workspace,
} from './crm/crm.ts'
export type { Line, Totals } from './crm/document.ts'
export { fileUnder, openUnder } from './crm/files/folder.ts'
export { columnsOf, grantsOf } from './crm/grants.ts'
export { adapterOf, problemsOf } from './crm/mapping/adapter.ts'
export { type CrmMap, defineMap } from './crm/mapping/map.ts'
export { todo } from './crm/mapping/todo.ts'
export type { CrmPages, CrmRecord, PagePatterns } from './crm/pages.ts'
export { type ReceivedPayment, Refusal } from './crm/received-payment.ts'
export { Conflict, CrmUnavailable, Forbidden, Gone, NotFound, Problem, TooMany } from './http/errors.ts'
export { keyOf, type Page, page } from './http/paging.ts'
export type { Message, Transport } from './mail/transport.ts'
export type { Options } from './options.ts'
export { query } from './platform/database.ts'
export { type FileStore, filesIn } from './platform/files.ts'
export { encryptedFiles } from './platform/files-encrypted.ts'
export { filesInS3 } from './platform/files-s3.ts'
export { type Flags, flagsFrom, flagsFromEnvironment } from './platform/flags.ts'
export { migrate, rollback } from './platform/migrations.ts'
export type { Money } from './platform/money.ts'
export { type RepliesOptions, repliesFromEnvironment } from './platform/replies.ts'
export { limitConnections, stopGracefully } from './platform/stop.ts'
export type { Action, Chart, Figure, Home, Need, News } from './plugin/dashboard.ts'
export type { Permission } from './plugin/parts.ts'
export { may } from './plugin/permissions.ts'
export { type Section, section } from './plugin/plugin.ts'
export { createPortal, type Portal } from './portal.ts'
export type { ActivitySummary, DocumentActivity, DocumentActivityQuery } from './settings/document-activity.ts'
