import type { Request } from 'express'
import type { Held } from '../auth/sessions.ts'
import type { Staff } from '../crm.ts'
import type { Colleague, StaffOf } from './staff.ts'

/** Staff who send a request, as they are now. */
export type Present = Colleague & Staff

export const held = (req: Request<any>) => (req as unknown as { session: Held }).session

/**
 * Whose session this is. It ends with the password that it was begun with: its state is compared with each request, so
 * that nothing has to be told of a change, wherever that was made.
 */
export async function presentStaff(req: Request<any>, staff: StaffOf): Promise<Present | undefined> {
  const { id, of, workspace, state } = held(req).staff ?? {}
  if (!id || !of || !workspace) return undefined
  const found = await staff.find({ id: of }, id)
  if (!found || found.state !== state) return undefined
  return { ...found, workspace, signOut: `/staff/${workspace}/sign-out` }
}
