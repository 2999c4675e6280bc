import type { Request } from 'express'
import type { Identity } from '../crm.ts'
import { within } from '../database.ts'
import { Invalid } from '../errors.ts'
import { fits } from './passwords.ts'
import { accountOf } from './people.ts'
import type { Ways } from './way.ts'

/** A fresh proof: the password once more, of the portal's own or of the CRM's. Throws Invalid beside the field, or TooOften. */
export async function itIsThem(
  { database, identity, limits }: Pick<Ways, 'database' | 'limits'> & { identity: Identity | undefined },
  req: Request,
  { current, ...typed }: { current: string },
  field = 'current',
) {
  const { workspace, customer } = req.portal
  const { id, email } = customer.person
  const succeeded = await limits.count(req, { account: `change ${id}` })
  const stored = await within(database, { workspace: workspace.id }, tx => accountOf(tx, workspace.id, email))
  const right =
    (await fits(stored?.password_hash, current)) ||
    (!stored?.password_hash && (await identity?.verify(workspace, email, current)) !== undefined)
  if (!right) throw new Invalid({ [field]: ['This is not your password.'] }, typed)
  await succeeded()
}
