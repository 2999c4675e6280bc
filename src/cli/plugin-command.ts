import { parseArgs } from 'node:util'
import { type Config, connected, pluginsOf } from './config.ts'
import { pluginHelp } from './help.ts'

/**
 * Runs a plugin's command, such as `portico tickets export`. Returns undefined if no plugin has this command. The
 * portal's options precede the plugin's name; the plugin's own follow its command.
 */
export async function runPluginCommand(config: Config, words: string[]): Promise<string | undefined> {
  const [name, word = '', ...args] = words
  const command = pluginsOf(config).find(it => it.name === name)?.commands?.[word]
  if (!command) return undefined
  if (args.length === 1 && /^(--help|-h)$/.test(args[0]!)) return pluginHelp(`${name} ${word}`, command.about)
  return connected(config.ownerUrl, owner => connected(config.url, database => command.run(args, { owner, database })))
}

/** Returns the plugins' commands, as the help shows them. */
export const pluginUsage = (config: Config): string =>
  pluginsOf(config)
    .flatMap(({ name, commands }) =>
      Object.entries(commands ?? {}).map(([word, it]) => `  ${name} ${word}`.padEnd(46) + it.about),
    )
    .join('\n')

/** Splits the arguments before the plugin's name; undefined if no argument names a plugin. */
export function split(all: string[], taken: (word: string) => boolean) {
  const { tokens } = parseArgs({
    args: all,
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: { config: { type: 'string' }, map: { type: 'string' } },
  })
  const first = tokens.find(it => it.kind === 'positional')
  if (!first || taken(first.value)) return undefined
  const values = tokens.filter(it => it.kind === 'option' && it.index < first.index)
  const optionOf = (name: string) =>
    values.map(it => (it.kind === 'option' && it.name === name ? it.value : undefined)).find(Boolean)
  return { config: optionOf('config'), map: optionOf('map'), words: all.slice(first.index) }
}
