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

interface Telling {
  /** Of the plugin's mails. */
  mail: LetterKind
  /** Whose people. */
  client: string
  section: string
  /** Of the record that the mail's button leads to. */
  id: string
  /** What fills the gaps of the mail. */
  facts: Facts
  /** Ids of the people to tell, where not all who see the section are. */
  people?: readonly string[]
}

/**
 * Mails those of a client's people who see a section, in their own language, within the transaction of the cause: nobody
 * who was suspended or has left gets one. Where no mail is sent, nothing happens.
 */
export async function tellReaders(tx: Knex, req: Request<any>, it: Telling): Promise<void> {
  const { workspace, mailed } = req.portal
  if (!mailed) return
  const { client, section, id, mail, facts, people } = it
  const rights = await rightsOf(tx, workspace.id)
  const readers = await req.portal.readers({ workspace, client, rights }, { section, may: ['see'], on: [] })
  const url = documentAt(mailed, workspace.slug, { client, section, id })
  for (const reader of readers.filter(one => !people || people.includes(one.id)))
    await write(mailed, req, tx, mail, { ...reader, person: reader.id }, { facts, url })
}
