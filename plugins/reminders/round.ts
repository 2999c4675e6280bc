import type { CoreHost } from '../../src/auth/host.ts'
import type { MailContext } from '../../src/auth/mail-context.ts'
import type { RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import type { Rights } from '../../src/auth/roles.ts'
import type { Ports } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'

/** What a round needs of the host. */
export type Mailing = Pick<
  CoreHost,
  'activation' | 'capability' | 'crm' | 'database' | 'flags' | 'log' | 'plugins' | 'workspaces'
> & { mailContext: MailContext }

/** A round through the clients of a workspace. */
export interface Round extends Mailing {
  workspace: BrandedWorkspace
  /** The plain date at the workspace. */
  today: string
  rights: Rights
  /** Days before the end of an offer. */
  offers: number[]
  /** Days from the due date of a payment. */
  payments: number[]
  /** Days from the day that tasks and requests are due. */
  work: number[]
  /** Ids of those people of the client at hand who can open the page on which they choose what they are told. */
  choosing: ReadonlySet<string>
}

/** A client with its people. */
export interface Audience extends Awaited<ReturnType<typeof recipientsAt>> {
  client: string
}

/** The ports of this client, as one of its people sees them. */
export function portsOf({ activation, crm, workspace, today }: Round, client: string, by: RecipientOf): Partial<Ports> {
  const { id, name, email, role } = by
  const customer = { workspace, client: { id: client, name: by.client }, person: { id, name, email }, role, today }
  return activation.availablePorts(crm.connect(customer))
}

/** Undefined for what is not there any more. */
export function gone(error: unknown): undefined {
  if (!(error instanceof NotFound)) throw error
}
