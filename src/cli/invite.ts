import { contactAt } from '../auth/identity.ts'
import { invite } from '../auth/invitations.ts'
import { join } from '../auth/people.ts'
import { ClientPortalOff } from '../auth/portal-switch.ts'
import { type Role, roles } from '../crm/crm.ts'
import { within } from '../platform/database.ts'
import { type Config, withCrm } from './config.ts'
import { CommandError, UsageError } from './errors.ts'
import { findClient, findWorkspace } from './workspace.ts'

interface Options {
  workspace?: string
  client?: string
  email?: string
  role?: string
  name?: string
  from?: string
  'crm-password'?: boolean
}

export async function invited(config: Config, options: Options): Promise<string> {
  const { workspace: slug, client: id = '', email, role = 'admin', from = 'Your contact' } = options
  if (!slug || !email) throw new UsageError('invite needs --workspace, --client and --email.')
  if (!isRole(role)) throw new UsageError(`--role must be one of ${roles.join(', ')}.`)
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new UsageError(`--email ${email} is no e-mail address.`)

  return withCrm(config, async (crm, database) => {
    const { directory, identity } = crm
    const workspace = await findWorkspace(config, crm, { slug, database })
    const client = await findClient(crm, workspace, id)
    const contact = await contactAt(directory, workspace, id, email)
    const name = options.name ?? contact?.name
    if (!name)
      throw new CommandError(`${email} is no contact of ${client.name}. Say --name to invite them all the same.`)

    const joining = { email, name, client, contact: contact?.id ?? null, role }
    if (options['crm-password']) {
      if (!identity) throw new CommandError('The adapter has no identity: it knows no passwords of the CRM.')
      await within(database, { workspace: workspace.id }, tx =>
        join(tx, { ...joining, workspace: workspace.id, passwordHash: null }),
      )
      return `${name} <${email}> can sign in at ${config.address}/${slug}/sign-in for ${client.name}, with the password of the CRM.`
    }
    const invitation = { ...joining, invitedBy: from }
    const token = await within(database, { workspace: workspace.id }, tx =>
      invite(tx, workspace.id, invitation).catch(error => {
        if (!(error instanceof ClientPortalOff)) throw error
        throw new CommandError(`The portal is switched off for ${client.name}. Switch it on in the settings first.`)
      }),
    )
    return `${name} <${email}> is invited to the portal of ${workspace.name} for ${client.name}, as ${role}.
Send them this link; it is good once, for seven days:
${config.address}/${slug}/invitation/${token}`
  })
}

const isRole = (it: string): it is Role => roles.some(role => role === it)
