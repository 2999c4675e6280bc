import type { Section } from '../../src/plugin/plugin.ts'
import { sentencesOf } from '../../src/plugin/sentences.ts'

/** Events of one plugin, or of a part of the portal, as an admin chooses them. */
export interface EventGroup {
  /** What its events begin with. */
  name: string
  title: string
  events: { name: string; sentence: string }[]
}

/** What `Send a test` sends. */
export const testEvent = 'webhooks.test'

/** What is chosen to get all events of a group, those of later versions too. */
export const everyEventOf = (group: string) => `${group}.*`

/** All events of the portal and its plugins: those of sections first, in the order of the navigation. */
export function eventGroups(plugins: Section[]): EventGroup[] {
  const sentences = sentencesOf(plugins)
  const named = Object.keys(sentences).map(name => ({ name, sentence: sentences[name]! }))
  const groups = Map.groupBy(named, it => it.name.split('.')[0]!)
  const names = [...new Set([...plugins.map(it => it.name), ...groups.keys()])].filter(it => groups.has(it))
  return names.map(name => ({ name, title: titleOf(name, plugins), events: groups.get(name)! }))
}

const titleOf = (name: string, plugins: Section[]) =>
  coreTitles[name] ?? plugins.find(it => it.name === name)?.title ?? name

const coreTitles: Record<string, string> = {
  account: 'Sign-in and account',
  team: 'Teams of clients',
  people: 'People',
  roles: 'Roles',
  settings: 'Settings',
  evidence: 'Evidence',
  activity: 'Activity',
  files: 'Files',
  staff: 'Staff',
}

/** Everything that can be chosen. */
export const choosable = (groups: EventGroup[]): Set<string> =>
  new Set(groups.flatMap(it => [everyEventOf(it.name), ...it.events.map(one => one.name)]))

/** How a sentence reads with nothing filled in: "accepted the proposal …". */
export function factsFor(sentence: string): Record<string, string | number> {
  const gaps = [...sentence.matchAll(/\{(\w+)(?:,\s*(\w+))?/g)]
  return Object.fromEntries(gaps.map(([, name, kind]) => [name!, kind === 'plural' ? 2 : '…']))
}
