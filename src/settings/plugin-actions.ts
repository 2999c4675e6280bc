import type { Request } from 'express'
import type { Knex } from 'knex'
import { documentAt, sendMail } from '../auth/mail-context.ts'
import { rightsOf } from '../auth/roles.ts'
import type { Facts, MailKind } from '../mail/kinds.ts'
import { type Event, recordEventIn } from '../platform/activity.ts'

/**
 * Runs an action of staff in a plugin's settings page: one transaction for its rows, mails and activity entry.
 * When it resolves, everything is stored.
 */
export async function runStaffAction<T>(
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
  event: (done: T) => Event & { client: string },
): Promise<T> {
  const { staff, mailContext, inWorkspace } = req.portal
  const done = await inWorkspace(async tx => {
    const result = await work(tx)
    const { client, ...its } = event(result)
    await recordEventIn(tx, req, { ...its, actor: { kind: 'staff', id: staff?.id, name: staff?.name, client } })
    return result
  })
  mailContext?.outbox.wake()
  return done
}

/**
 * The people of a client who may see this section, for a mail; nobody who is suspended or has left. Call it before
 * the transaction: it asks the database and the CRM.
 */
export const recipientsOf = async (req: Request<any>, { client, section }: { client: string; section: string }) => {
  const { workspace } = req.portal
  const rights = await req.portal.inWorkspace(tx => rightsOf(tx, workspace.id))
  return req.portal.recipients({ workspace, client, rights }, { section, may: ['see'], on: [] })
}

/** What other plugins keep about a record and show on its page, for `res.respond`. */
export async function attachedTo(req: Request<any>, kind: string, id: string): Promise<Record<string, unknown>> {
  const [{ attached }, filled] = await Promise.all([
    req.portal.documentHistory(req, kind, id),
    req.portal.fillSlots(req, 'subject'),
  ])
  return { ...attached, ...filled }
}

interface Mailed {
  /** The plugin's kind of mail. */
  mail: MailKind
  to: Awaited<ReturnType<typeof recipientsOf>>
  client: string
  section: string
  /** The id of the record that the mail's button opens. */
  id: string
  /** The values for the mail's placeholders. */
  facts: Facts
}

/**
 * Queues a mail to each recipient, in their own language, as part of this transaction. Does nothing where no mail
 * is set up.
 */
export async function mailRecipients(tx: Knex, req: Request<any>, it: Mailed): Promise<void> {
  const { workspace, mailContext } = req.portal
  if (!mailContext) return
  const url = documentAt(mailContext, workspace.slug, it)
  for (const reader of it.to)
    await sendMail(mailContext, req, tx, it.mail, { ...reader, person: reader.id }, { facts: it.facts, url })
}
