import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../src/platform/root.ts'
import { rank } from '../proof/plan.ts'
import { desk, phone } from './browsing.ts'

/** A way in which a page is looked at: a language (`en-XA` and `ar-XB` are pseudo-locales), a colour scheme and a size. */
export interface Look {
  locale: string
  scheme: 'light' | 'dark'
  viewport: typeof phone
}

export const looks: Look[] = ['en-GB', 'es-ES', 'en-XA', 'ar-XB'].flatMap(locale =>
  (['light', 'dark'] as const).flatMap(scheme => [phone, desk].map(viewport => ({ locale, scheme, viewport }))),
)

/** What is asked of a page: everything, only what colours decide, or only where things lie. */
export type Asked = 'everything' | 'colours' | 'places'

const { PORTICO_PAGES: turn = '', PORTICO_PAGES_CHANGED: changed = '' } = process.env
const inTurn = looks[turn ? rank('look', turn) % looks.length : 0]

/**
 * What is asked of the page at this address when it is looked at in this way; undefined where it is not. `PORTICO_PAGES` is
 * `all`, or the turn that chooses one look for each page; pages of the plugins in `PORTICO_PAGES_CHANGED` are looked at in
 * all ways.
 */
export function askedOf(look: Look, address: string): Asked | undefined {
  if (turn !== 'all' && look === inTurn) return 'everything'
  if (turn !== 'all' && !hasChanged(address)) return undefined
  const { locale, scheme } = look
  if (locale === 'en-GB') return scheme === 'light' ? 'everything' : 'colours'
  return scheme === 'light' ? 'places' : undefined
}

function hasChanged(address: string): boolean {
  if (changed === '*') return true
  const [, segment = ''] = /^\/(?:portal|settings|staff)\/[\w-]+\/([\w-]*)/.exec(address) ?? []
  return changed.split(',').some(plugin => plugin && has(plugin, segment))
}

/** Whether this plugin has pages at this segment of an address: its own name, or one that its code says. */
const has = (plugin: string, segment: string) =>
  plugin === segment || (segment !== '' && codeOf(plugin).includes(`'/${segment}`))

const codes = new Map<string, string>()

function codeOf(plugin: string): string {
  const known = codes.get(plugin)
  if (known !== undefined) return known
  const files = globSync(`plugins/${plugin}/*.ts`, { cwd: root, exclude: ['**/*.test.ts'] })
  const code = files.map(it => readFileSync(join(root, it), 'utf8')).join('\n')
  codes.set(plugin, code)
  return code
}
