#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { Config } from './commands/config.ts'
import { Wrong } from './commands/problems.ts'
import { roles } from './crm.ts'

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
DIRECT_DATABASE_URL, which leads past that pooler, for the job queue of serve; METRICS_TOKEN, who may read the metrics;
STOP_NOTICE and STOP_LIMIT, the seconds that serve waits for a proxy and for requests when it is told to stop (3 and 30);
SMTP_URL and MAIL_FROM where mail is to be sent.

Exit status: 0 good, 1 problem found, 2 wrong usage.`

type Command = (config: Config, options: Options) => Promise<string>

/** Each is loaded when it is called: to verify a file needs neither a database nor the rest of the portal. */
const commands: Record<string, () => Promise<Command>> = {
  doctor: async () => (await import('./commands/gate.ts')).doctor,
  enable: async () => (await import('./commands/gate.ts')).enable,
  disable: async () => (await import('./commands/gate.ts')).disable,
  migrate: async () => (await import('./commands/migrate.ts')).migrateAll,
  prune: async () => (await import('./commands/prune.ts')).prune,
  reseal: async () => (await import('./commands/secrets.ts')).resealAll,
  serve: async () => (await import('./commands/serve.ts')).serve,
  'staff add': async () => (await import('./commands/serve.ts')).staffAdd,
  'staff reset-factor': async () => (await import('./commands/serve.ts')).resetStaffFactor,
  export: async () => (await import('./commands/evidence.ts')).exportEvidence,
  invite: async () => (await import('./commands/invite.ts')).invited,
  rollback: async () => (await import('./commands/rollback.ts')).destroy,
}

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
  if (named === 'audit') return (await import('./commands/audit.ts')).audited(values)
  if (positionals[0] === 'verify')
    return (await import('./commands/verify.ts')).verifyFile(positionals[1], values.certificate)
  const command = Object.hasOwn(commands, named) ? commands[named] : undefined
  if (!command) throw new Wrong(`There is no command "${named}".\n\n${usage}`)
  const { configOf } = await import('./commands/config.ts')
  const config = await configOf(values.config, values.map)
  return (await command())(config, values)
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
