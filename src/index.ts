/** What a company's app and its adapter import. */
export { type Audit, type AuditJson, audit, auditApp, type Inputs } from '../audit/index.ts'
export type { Config } from './commands/config.ts'
export { fileUnder } from './crm/files/folder.ts'
export { columnsOf, grantsOf } from './crm/grants.ts'
export { adapterOf, problemsOf } from './crm/map/adapter.ts'
export { type CrmMap, defineMap } from './crm/map/map.ts'
export type {
  Client,
  Columns,
  Contact,
  Crm,
  Customer,
  Directory,
  Identity,
  Person,
  Ports,
  Reads,
  Role,
  Staff,
  Workspace,
} from './crm.ts'
export { query } from './database.ts'
export type { Line, Sums } from './document.ts'
export { Conflict, CrmUnavailable, Forbidden, Gone, NotFound, Problem, TooMany } from './errors.ts'
export { type Flags, flagsFrom, flagsFromEnvironment } from './flags.ts'
export { accept } from './gate/accept.ts'
export { Audited } from './gate/audit.ts'
export type { Message, Transport } from './mail/transport.ts'
export { migrate, rollback } from './migrations.ts'
export type { Money } from './money.ts'
export type { Options } from './options.ts'
export { keyOf, type Page, page } from './page.ts'
export { createPortal, type Portal } from './portal.ts'
export {
  type Action,
  type Chart,
  type Figure,
  type Home,
  may,
  type Need,
  type News,
  type Permission,
  type Section,
  section,
} from './section.ts'
export { limitConnections, stopGracefully } from './stop.ts'
export type { Beside, Deed, Which } from './talk/beside.ts'
