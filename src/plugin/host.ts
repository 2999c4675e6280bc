import type { CapabilityOf } from './capabilities.ts'
import type { Host, Section } from './plugin.ts'

/** Looks capabilities up among the plugins that are installed. */
export function capabilitiesOf(plugins: Section[], host: () => Host): CapabilityOf {
  const made = new Map<string, unknown>()
  return name => {
    if (!made.has(name)) made.set(name, plugins.find(it => it.capabilities?.[name])?.capabilities?.[name]?.(host()))
    return made.get(name) as never
  }
}
