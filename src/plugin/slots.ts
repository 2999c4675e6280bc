import type { Request } from 'express'
import type { Host, Section, Slot } from './plugin.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** What views in these places of a page show beside what the page has, for its locals. */
      fillSlots(req: Request<any>, ...names: string[]): Promise<{ filled: Record<string, object> }>
    }
  }
}

/** Views that plugins have in pages of others, by the name of their place, and what they show there. */
export function slotsOf(plugins: Section[], host: () => Host) {
  const slots = new Map<string, Slot[]>()
  for (const it of plugins)
    for (const [name, slot] of Object.entries(it.slots ?? {})) slots.set(name, [...(slots.get(name) ?? []), slot])
  const views = new Map([...slots].map(([name, its]) => [name, its.map(it => it.view as string)]))
  return {
    slotViews: (name: string): readonly string[] => views.get(name) ?? [],
    async fillSlots(req: Request<any>, ...names: string[]) {
      const its = names.flatMap(name => slots.get(name) ?? [])
      const all = await Promise.all(its.map(async it => [it.view, (await it.data?.(req, host())) ?? {}] as const))
      return { filled: Object.fromEntries(all) }
    },
  }
}
