import type { Request } from 'express'
import { z } from 'zod'
import { tellOf } from '../platform/events.ts'
import type { EventSentence } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /**
       * Whether its open pages are told of its changes: see the part `live`. With `person`, each change is one person's,
       * whose id it names, and nobody else is told.
       */
      live?: true | 'person'
      /**
       * Whether something that is live changed for this person since then, where the activity does not have it. It is asked
       * when a page begins to listen.
       */
      changedSince?(req: Request<any>, since: Date): Promise<boolean>
    }
  }
}

/** Registers which changes open pages are told of: those of sections that are live. */
export const liveHost: PluginHost = {
  shape: {
    live: z.literal([true, 'person'], 'must be true or person where it is given').optional(),
    changedSince: z.custom<object>(it => typeof it === 'function', 'must be a function').optional(),
  },
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
