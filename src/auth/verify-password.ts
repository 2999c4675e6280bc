import type { Identity, Workspace } from '../crm/crm.ts'
import type { Account } from './mail-context.ts'
import { passwordMatches } from './passwords.ts'

/**
 * Whether this is the account's password. Takes as long for an unknown account or a wrong password: the CRM is asked in
 * each case, and a CRM that fails makes all of them fail alike.
 */
export async function verifyPassword(
  identity: Identity | undefined,
  workspace: Workspace,
  account: Account | undefined,
  typed: string,
  email = account?.email ?? '',
): Promise<boolean> {
  if (await passwordMatches(account?.password_hash, typed)) return true
  const theirs = await identity?.verify(workspace, email, typed)
  return theirs !== undefined && account?.password_hash == null
}
