import type { Request } from 'express'
import type { Knex } from 'knex'
import { type Event, note } from './activity.ts'
import { rightsOf } from './auth/roles.ts'
import { documentAt, write } from './auth/way.ts'
import type { Facts, LetterKind } from './mail/letters.ts'

/**
 * What staff do in a plugin's settings page: one transaction for the plugin's rows, its mails and the sentence that it
 * leaves on behalf of this client. Whoever gets an answer knows that all of it is stored.
 */
export async function staffAct<T>(
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
  event: (done: T) => Event & { client: string },
): Promise<T> {
  const { staff, mailed, inWorkspace } = req.portal
  const done = await inWorkspace(async tx => {
    const result = await work(tx)
    const { client, ...its } = event(result)
    await note(tx, req, { ...its, actor: { kind: 'staff', id: staff?.id, name: staff?.name, client } })
    return result
  })
  mailed?.outbox.wake()
  return done
}

/**
 * Those of a client's people who see this plugin's section, for a mail: nobody who was suspended or has left. Asked
 * before the transaction that mails them, since it asks the database and the CRM itself.
 */
export const readersOf = async (req: Request<any>, { client, section }: { client: string; section: string }) => {
  const { workspace } = req.portal
  const rights = await req.portal.inWorkspace(tx => rightsOf(tx, workspace.id))
  return req.portal.readers({ workspace, client, rights }, { section, may: ['see'], on: [] })
}

interface Mailed {
  /** Of the plugin's mails. */
  mail: LetterKind
  to: Awaited<ReturnType<typeof readersOf>>
  client: string
  section: string
  /** Of the record that the mail's button leads to. */
  id: string
  /** What fills the gaps of the mail. */
  facts: Facts
}

/** Mails people in their own language, if this transaction commits. Where no mail is sent, nothing happens. */
export async function sendMail(tx: Knex, req: Request<any>, it: Mailed): Promise<void> {
  const { workspace, mailed } = req.portal
  if (!mailed) return
  const url = documentAt(mailed, workspace.slug, it)
  for (const reader of it.to)
    await write(mailed, req, tx, it.mail, { ...reader, person: reader.id }, { facts: it.facts, url })
}
