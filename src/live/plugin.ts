import { z } from 'zod'
import { tellOf } from '../platform/events.ts'
import type { EventSentence } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /** Whether its open pages are told of its changes: see the part `live`. */
      live?: true
    }
  }
}

/** Registers which changes open pages are told of: those of sections that are live. */
export const liveHost: PluginHost = {
  shape: { live: z.literal(true, 'must be true where it is given').optional() },
  add(plugin) {
    if (plugin.live) tellOf(changesOf(plugin))
  },
}

/** The events of its own name that change something. */
const changesOf = ({ name, activity, with: beside = {} }: Section): string[] =>
  [activity, ...Object.values(beside).map(it => it.activity ?? {})]
    .flatMap(it => Object.entries<EventSentence>(it))
    .filter(([event, it]) => event.startsWith(`${name}.`) && (typeof it === 'string' || it.kind === 'change'))
    .map(([event]) => event)
