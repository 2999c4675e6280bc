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
export const inviting = (ways: Ways, req: Request<any>, tx: Knex, { client, invitedBy, link, ...to }: Invited) => {
  const workspace = req.portal.workspace.name
  return write(ways, req, tx, 'invitation', { email: to.email, name: to.name, language: to.language }, t => ({
    subject: t('{invitedBy} invites you to the portal of {workspace}', { invitedBy, workspace }),
    paragraphs: [
      t('{invitedBy} invites you to the portal of {workspace}, for {client}.', { invitedBy, workspace, client }),
      t(
        'There you see what {workspace} has for you: proposals, invoices and what needs your answer. It takes a minute to come in.',
        { workspace },
      ),
    ],
    action: { label: t('Open the portal'), url: link },
    after: [t('The link is good once, for seven days, and only for you.')],
  }))
}
