import { contactAt } from '../auth/identity.ts'
import { invite } from '../auth/invitations.ts'
import { join } from '../auth/people.ts'
import { type Role, roles } from '../crm.ts'
import { within } from '../database.ts'
import { type Config, withCrm } from './config.ts'
import { Trouble, Wrong } from './problems.ts'

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
  const { workspace: slug, client: id, email, role = 'admin', from = 'Your contact' } = options
  if (!slug || !id || !email) throw new Wrong('invite needs --workspace, --client and --email.')
  if (!isRole(role)) throw new Wrong(`--role must be one of ${roles.join(', ')}.`)
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new Wrong(`--email ${email} is no e-mail address.`)

  return withCrm(config, async ({ directory, identity }, database) => {
    const workspace = await directory.workspace(slug)
    if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
    const client = await directory.client(workspace, id)
    if (!client) throw new Trouble(`Workspace "${slug}" has no client ${id}.`)
    const contact = await contactAt(directory, workspace, id, email)
    const name = options.name ?? contact?.name
    if (!name) throw new Trouble(`${email} is no contact of ${client.name}. Say --name to invite them all the same.`)

    const joining = { email, name, client, contact: contact?.id ?? null, role }
    if (options['crm-password']) {
      if (!identity) throw new Trouble('The adapter has no identity: it knows no passwords of the CRM.')
      await within(database, { workspace: workspace.id }, tx =>
        join(tx, { ...joining, workspace: workspace.id, passwordHash: null }),
      )
      return `${name} <${email}> can sign in at ${config.address}/${slug}/sign-in for ${client.name}, with the password of the CRM.`
    }
    const invitation = { ...joining, invitedBy: from }
    const token = await within(database, { workspace: workspace.id }, tx => invite(tx, workspace.id, invitation))
    return `${name} <${email}> is invited to the portal of ${workspace.name} for ${client.name}, as ${role}.
Send them this link; it is good once, for seven days:
${config.address}/${slug}/invitation/${token}`
  })
}

const isRole = (it: string): it is Role => roles.some(role => role === it)
