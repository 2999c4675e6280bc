/** What a plugin imports, as `portico/sdk`: see docs/plugins.md. */

export type { Migrated, Roles } from '../knexfile.ts'
export { type Act, type Acting, act } from './act.ts'
export { type Event, note, record } from './activity.ts'
export { otherwise } from './answer.ts'
export type { RequestContext } from './context.ts'
export type { Client, Contact, Customer, Person, Ports, Role, Staff, Workspace } from './crm.ts'
export { query, readWithin, type Scope, type Statement, within } from './database.ts'
export { Conflict, Forbidden, Gone, Invalid, NotFound, Problem, TooMany } from './errors.ts'
export { filterOf, type ListFilter } from './filter.ts'
export { read } from './form.ts'
export type { Facts, Mail, Words } from './mail/letters.ts'
export type { Money } from './money.ts'
export { keyOf, type Page, page, pageOf } from './page.ts'
export { readersOf, sendMail, staffAct } from './plugin-actions.ts'
// With it comes every part of the request context, whichever module declares it.
export type { Portal } from './portal.ts'
export { rowSecurity } from './row-security.ts'
export {
  type Action,
  admins,
  anybody,
  anyMember,
  clientAdmins,
  type Figure,
  type Home,
  may,
  type Need,
  type News,
  type Permission,
  type Rule,
  type Section as Plugin,
  section as plugin,
  stepUp,
  type Toggle,
} from './section.ts'
