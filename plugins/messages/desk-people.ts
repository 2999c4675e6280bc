import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { recipientsOf, runStaffAction } from '../../src/settings/plugin-actions.ts'
import { type Thread, threadOf } from './desk-changes.ts'
import { readersOf } from './desk-reads.ts'
import { follow } from './store.ts'

/** Who takes part in a conversation, and who else at the client could. */
export const showPeople =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const thread = await threadOf(req)
    const [people, readers] = await Promise.all([
      peopleOf(req, thread),
      readersOf(host.database, req.portal.workspace.id, thread.id),
    ])
    const known = new Map(readers.filter(it => it.kind === 'client').map(it => [it.id, it]))
    res.respond('messages/people', {
      thread,
      people: people.map(({ id, name, email }) => ({ id, name, email, ...stateOf(thread, known.get(id)) })),
      staffInIt: readers.filter(it => it.kind === 'staff' && it.wrote),
      mails: coreHostOf(host).mailContext !== undefined,
      done: ['added', 'removed'].find(it => req.query[it] !== undefined),
    })
  }

/** Who at the client may read messages now. */
const peopleOf = (req: Request<any>, { client }: Thread) => recipientsOf(req, { client, section: 'messages' })

const stateOf = ({ seq }: Thread, reader: { follows: boolean; readTo: number } | undefined) => ({
  follows: reader?.follows ?? false,
  read: (reader?.readTo ?? 0) >= seq,
})

const Taking = z.object({ person: z.string().max(300), on: z.enum(['on', 'off']) })

/** Lets somebody of the client take part from now on, or no longer. */
export const savePerson: RequestHandler<any> = async (req, res) => {
  const thread = await threadOf(req)
  const { person: id, on } = read(Taking, req)
  const person = (await peopleOf(req, thread)).find(it => it.id === id)
  if (!person) throw new NotFound()
  const of = { workspace: req.portal.workspace.id, client: thread.client, thread: thread.id }
  await runStaffAction(
    req,
    tx => follow(tx, { ...of, by: { kind: 'client', id, name: person.name } }, on === 'on'),
    () => ({
      event: 'messages.person_changed',
      client: thread.client,
      subject: { id: thread.id, number: thread.title, person: person.name, on },
    }),
  )
  res.redirect(303, req.portal.url(`/inbox/${thread.id}/people?${on === 'on' ? 'added' : 'removed'}`))
}
