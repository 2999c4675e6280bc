#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { contactAt } from './auth/identity.ts'
import { invite } from './auth/invitations.ts'
import { join } from './auth/people.ts'
import { audited } from './commands/audit.ts'
import { type Config, configOf, connected, roleOf, Trouble, Wrong, withCrm } from './commands/config.ts'
import { exportEvidence, verifyFile } from './commands/evidence.ts'
import { disable, doctor, enable } from './commands/gate.ts'
import { prune } from './commands/prune.ts'
import { destroy } from './commands/rollback.ts'
import { resealAll } from './commands/secrets.ts'
import { resetStaffFactor, serve, staffAdd } from './commands/serve.ts'
import { type Role, roles } from './crm.ts'
import { within } from './database.ts'
import { migrate } from './migrations.ts'

const usage = `portico <command> [--config portico.config.ts | --map crm.map.ts]

  audit --database URL --source DIR --url URL look at a CRM, of which each is optional, and change nothing
        [--out AUDIT_REPORT.md] [--json audit.json] [--map crm.map.ts] [--quiet]
  doctor [--grants]                           say what is wrong, which grants the portal's role needs, which indexes help
  migrate                                     create or bring up to date Portico's own tables
  rollback --destroy                          remove them, with all that Portico stored; signatures that are in no
           [--without-evidence]               export only if that is said too
  enable [--audit audit.json] [--by NAME]     accept the audit and open the gate, where all is as it must be
  disable                                     close the gate for every workspace
  invite --workspace SLUG --client ID         make an invitation and print its link
         --email ADDRESS [--role ${roles.join('|')}] [--name NAME] [--from NAME]
         [--crm-password]                     no link: they sign in with the password that the CRM knows
  prune                                       forget ended sessions, links that are over, registrations never confirmed
  reseal [--lost]                             seal anew with the first of PORTAL_SECRETS what older ones sealed; --lost
                                              goes on without a secret that nobody has any more
  serve --map crm.map.ts                      the portal as an app of its own, beside a CRM that is no Express app
  staff add --workspace SLUG --email ADDRESS  somebody who looks after it, by the password in STAFF_PASSWORD;
            --name NAME [--member]            a member sees the settings area exists and may change nothing
  staff reset-factor --workspace SLUG         takes every second factor off somebody who lost phone and recovery codes,
                     --email ADDRESS          and signs them out
  verify FILE [--certificate SHA-256]         whether an evidence bundle is whole; asks no database
  export --workspace SLUG [--out DIR]         an evidence bundle for each answer of a workspace

With --map, the addresses come from the environment: DATABASE_URL (as owner), PORTAL_DATABASE_URL (as the portal's role),
CRM_DATABASE_URL (if the CRM is in another database), PORTAL_ADDRESS (for links), PORT, HOST, TRUST_PROXY; PORTAL_SECRET,
or PORTAL_SECRETS with the newest first and spaces between them; PREPARED_STATEMENTS=false behind a pooler that keeps no names;
STOP_NOTICE and STOP_LIMIT, the seconds that serve waits for a proxy and for requests when it is told to stop (3 and 30);
SMTP_URL and MAIL_FROM where mail is to be sent.

Exit status: 0 good, 1 problem found, 2 wrong usage.`

const commands: Record<string, (config: Config, options: Options) => Promise<string>> = {
  doctor,
  enable,
  disable,
  prune,
  reseal: resealAll,
  serve,
  'staff add': staffAdd,
  'staff reset-factor': resetStaffFactor,
  export: exportEvidence,
  rollback: destroy,

  async migrate(config) {
    const names = await connected(config.ownerUrl, owner => migrate(owner, { role: roleOf(config) }))
    return names.length ? `Applied ${names.join(', ')}.` : 'Nothing to do: all migrations are applied.'
  },

  invite: invited,
}

async function invited(config: Config, options: Options): Promise<string> {
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

type Invited = 'workspace' | 'client' | 'email' | 'role' | 'name' | 'from'
type Looked = 'database' | 'source' | 'url' | 'out' | 'json'
type Text = Invited | Looked | 'audit' | 'by'
type Flag = 'destroy' | 'without-evidence' | 'quiet' | 'grants' | 'member' | 'crm-password' | 'lost'
type Options = { [name in Text]?: string } & { [name in Flag]?: boolean }

async function run(): Promise<string> {
  const text = { type: 'string' } as const
  const { positionals, values } = parsed(() =>
    parseArgs({
      allowPositionals: true,
      options: {
        config: text,
        map: text,
        audit: text,
        certificate: text,
        by: text,
        workspace: text,
        client: text,
        email: text,
        role: text,
        name: text,
        from: text,
        database: text,
        source: text,
        url: text,
        out: text,
        json: text,
        quiet: { type: 'boolean' },
        destroy: { type: 'boolean' },
        'without-evidence': { type: 'boolean' },
        grants: { type: 'boolean' },
        member: { type: 'boolean' },
        lost: { type: 'boolean' },
        'crm-password': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  )
  if (values.help) return usage
  const named = positionals.join(' ')
  if (named === 'audit') return audited(values)
  if (positionals[0] === 'verify') return verifyFile(positionals[1], values.certificate)
  const command = Object.hasOwn(commands, named) ? commands[named] : undefined
  if (!command) throw new Wrong(`There is no command "${named}".\n\n${usage}`)
  const config = await configOf(values.config, values.map)
  return command(config, values)
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Wrong(`${(error as Error).message}\n\n${usage}`)
  }
}

const plain: Record<string, string> = {
  ECONNREFUSED: 'The database does not answer. Start it, or correct its address.',
  '28P01': 'The database refuses this user or password. Correct the address.',
  '28000': 'The database refuses this user. Correct the address.',
  '3D000': 'There is no database of this name. Correct the address.',
}

try {
  const said = await run()
  if (said) console.log(said)
} catch (error) {
  const { message, code } = error as Error & { code?: string }
  console.error(plain[code ?? ''] ?? message)
  process.exitCode = error instanceof Wrong ? 2 : 1
}
