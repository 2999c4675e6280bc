import type { Request } from 'express'
import type { Knex } from 'knex'
import { type Ways, write } from './way.ts'

interface Invited {
  email: string
  name: string
  language?: string
  client: string
  invitedBy: string
  link: string
}

/** The mail that brings an invitation, in the language of whom it invites where that is known. */
export const inviting = (ways: Ways, req: Request<any>, tx: Knex, { client, invitedBy, link, ...to }: Invited) =>
  write(
    ways,
    req,
    tx,
    'invitation',
    { email: to.email, name: to.name, language: to.language },
    {
      facts: { invitedBy, client },
      url: link,
    },
  )
