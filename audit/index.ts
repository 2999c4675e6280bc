import type { Inputs } from './audit.ts'
import type { Audit } from './result.ts'

export type { Inputs } from './audit.ts'
export type { Doubt } from './doubts.ts'
export type { Recorded } from './recorded.ts'
export type { Audit, AuditJson } from './result.ts'

/** Audits a CRM by its database, source, URL or app; one of them is enough. It changes nothing. */
export const audit = async (inputs: Inputs): Promise<Audit> => (await loaded()).audit(inputs)

/** Audits a running Express 4 or 5 app by its routes, together with the other inputs. */
export const auditApp = async (app: unknown, inputs: Omit<Inputs, 'app'> = {}): Promise<Audit> =>
  (await loaded()).audit({ ...inputs, app })

/** Loads the audit and its parsers on first use, so that an app with the portal does not pay for them. */
const loaded = () => import('./audit.ts')
