import type { Colleague, OwnedRecord } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { drifted, unreachable } from '../../src/platform/database.ts'
import { addressed, onceEach, ownAdmins } from '../../src/settings/admins.ts'
import type { Rules } from './rules.ts'
import type { Parts } from './shape.ts'

interface About {
  workspace: BrandedWorkspace
  /** Nothing for what is of no document. */
  record: OwnedRecord | undefined
  /** Since when somebody should be told. */
  at: Date
  now: Date
}

/** How long the CRM may be away before those that it would name go without, in milliseconds. */
const patience = 3_600_000

interface Recipients {
  to: Colleague[]
  /** Whether nobody looks after the document, so that these are admins and addresses. */
  others: boolean
}

/** Whom to mail, each once. Throws where the CRM does not answer, so that the job is tried again, up to an hour. */
export async function recipientsOf(
  rules: Rules,
  { workspace, record, at, now }: About,
  { crm, activation, database, log }: Pick<Parts, 'crm' | 'activation' | 'database' | 'log'>,
): Promise<Recipients> {
  const { directory } = crm
  const isAway = activation.state()?.disabledSections.has('owners') ?? false
  const asked = <T>(question: () => Promise<T> | undefined): Promise<T | undefined> => {
    if (isAway) return Promise.resolve(undefined)
    return Promise.resolve(question()).catch(err => {
      if (!(unreachable(err) || drifted(err) || err instanceof CrmUnavailable)) throw err
      if (now.getTime() - at.getTime() < patience) throw err
      log.warn({ err, workspace: workspace.slug }, 'the CRM does not answer; staff are mailed at the set addresses')
      return undefined
    })
  }
  const owner = rules.toOwner && record ? addressed(await asked(() => directory.owner?.(workspace, record))) : []
  if (owner.length && !rules.also) return { to: owner, others: false }
  const admins = rules.toAdmins ? addressed(...((await asked(() => directory.admins?.(workspace))) ?? [])) : []
  const ours = rules.toAdmins ? await ownAdmins(database, workspace.id) : []
  const to = onceEach([...owner, ...admins, ...ours, ...rules.addresses.map(email => ({ name: '', email }))])
  return { to, others: !owner.length }
}
