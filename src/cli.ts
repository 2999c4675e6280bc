#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { Config } from './cli/config.ts'
import { UsageError } from './cli/errors.ts'
import { helpOf, usage } from './cli/help.ts'

type Command = (config: Config, options: Options) => Promise<string>

/** Commands are loaded when they are called: verifying a file needs neither a database nor the rest of the portal. */
const commands: Record<string, () => Promise<Command>> = {
  doctor: async () => (await import('./cli/activation.ts')).doctor,
  enable: async () => (await import('./cli/activation.ts')).enable,
  disable: async () => (await import('./cli/activation.ts')).disable,
  migrate: async () => (await import('./cli/migrate.ts')).migrateAll,
  prune: async () => (await import('./cli/prune.ts')).prune,
  reseal: async () => (await import('./cli/secrets.ts')).resealAll,
  serve: async () => (await import('./cli/serve.ts')).serve,
  'staff add': async () => (await import('./cli/serve.ts')).staffAdd,
  'staff reset-factor': async () => (await import('./cli/serve.ts')).resetStaffFactor,
  export: async () => (await import('./cli/evidence.ts')).exportEvidence,
  invite: async () => (await import('./cli/invite.ts')).invited,
  rollback: async () => (await import('./cli/rollback.ts')).destroy,
}

type Invited = 'workspace' | 'client' | 'email' | 'role' | 'name' | 'from'
type Looked = 'database' | 'source' | 'url' | 'out' | 'json'
type Text = Invited | Looked | 'audit' | 'by'
type Flag = 'ask' | 'destroy' | 'without-evidence' | 'quiet' | 'grants' | 'member' | 'crm-password' | 'lost'
type Options = { [name in Text]?: string } & { [name in Flag]?: boolean }

async function run(): Promise<string> {
  const ofPlugin = await ranByPlugin(process.argv.slice(2))
  if (ofPlugin !== undefined) return ofPlugin
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
        ask: { type: 'boolean' },
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
  const named = positionals.join(' ')
  if (values.help) return help(named, values)
  if (named === 'audit') return (await import('./cli/audit.ts')).audited(values)
  if (positionals[0] === 'verify')
    return (await import('./cli/verify.ts')).verifyFile(positionals[1], values.certificate)
  const command = Object.hasOwn(commands, named) ? commands[named] : undefined
  if (!command) throw new UsageError(`There is no command "${named}".\n\n${usage}`)
  const { configOf } = await import('./cli/config.ts')
  const config = await configOf(values.config, values.map)
  return (await command())(config, values)
}

/** Of one command, or of all with those of plugins. A file that `verify` is given is no part of its name. */
async function help(named: string, { config, map }: { config?: string; map?: string }): Promise<string> {
  const name = named.startsWith('verify ') ? 'verify' : named
  if (!name) return [usage, await ofPlugins(config, map)].filter(Boolean).join('\n\n')
  const found = helpOf(name)
  if (!found) throw new UsageError(`There is no command "${named}".\n\n${usage}`)
  return found
}

/** Undefined if the words are one of our own commands, or unknown. */
async function ranByPlugin(args: string[]): Promise<string | undefined> {
  const first = args.find(it => !it.startsWith('-'))
  const own = ['audit', 'verify', ...Object.keys(commands).map(it => it.split(' ')[0])]
  if (args.every(it => it.startsWith('-')) || own.includes(first)) return undefined
  const { runPluginCommand, split } = await import('./cli/plugin-command.ts')
  const its = split(args, word => own.includes(word))
  if (!its) return undefined
  const { configOf } = await import('./cli/config.ts')
  // Without a config there are no plugins; the command itself reports what is wrong with the config.
  const config = await configOf(its.config, its.map).catch(() => undefined)
  return config && runPluginCommand(config, its.words)
}

/** Returns the plugins' commands for the help; empty if there is no config. */
async function ofPlugins(config: string | undefined, map: string | undefined): Promise<string> {
  const [{ configOf }, { pluginUsage }] = await Promise.all([
    import('./cli/config.ts'),
    import('./cli/plugin-command.ts'),
  ])
  const all = await configOf(config, map).then(pluginUsage, () => '')
  return all && `Commands of plugins:\n\n${all}`
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`)
  }
}

const plain: Record<string, string> = {
  ECONNREFUSED: 'The database does not answer. Start it, or correct its address.',
  '28P01': 'The database refuses this user or password. Correct the address.',
  '28000': 'The database refuses this user. Correct the address.',
  '3D000': 'There is no database of this name. Correct the address.',
}

try {
  const output = await run()
  if (output) console.log(output)
} catch (error) {
  const { message, code } = error as Error & { code?: string }
  console.error(plain[code ?? ''] ?? message)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
