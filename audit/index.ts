import type { Inputs } from './audit.ts'
import type { Audit } from './result.ts'

export type { Inputs } from './audit.ts'
export type { Audit, AuditJson } from './result.ts'

/** Audits a CRM: its database, source, address or app, of which one is enough. It changes nothing. */
export const audit = async (inputs: Inputs): Promise<Audit> => (await loaded()).audit(inputs)

/** Audits a running Express 4 or 5 app: its router stack is the surest list of routes. The other inputs say the rest. */
export const auditApp = async (app: unknown, inputs: Omit<Inputs, 'app'> = {}): Promise<Audit> =>
  (await loaded()).audit({ ...inputs, app })

/** Only when it is asked for: an app that mounts the portal carries no parser. */
const loaded = () => import('./audit.ts')
