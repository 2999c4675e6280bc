/** A record as the CRM knows it: `kind` is `clients`, `contacts` or the name of a section. */
export interface CrmRecord {
  kind: string
  /** The CRM's own, as text. */
  id: string
  workspace: { id: string; slug: string }
}

/**
 * Addresses by kind of record: `{ base: 'https://crm.example', proposals: '/proposals/{id}' }`. They may name `{id}`,
 * `{workspace}` (its slug) and `{env NAME}`. Without `base` they are paths of the host that the settings are at.
 */
export type PagePatterns = Record<string, string>

/** Where records have their pages in the CRM, for its staff: patterns, or a function that gives an address. */
export type CrmPages = PagePatterns | ((record: CrmRecord) => string | undefined)

/** What an adapter says of it. */
interface WithPages {
  pages?: CrmPages
}

/**
 * Where staff see this record in the CRM: an address with https, or a path of the host that the settings are at.
 * Undefined where the adapter says nothing of it, or something else; never throws.
 */
export function pageInCrm({ pages }: WithPages, record: CrmRecord): string | undefined {
  if (!pages) return undefined
  try {
    const address = typeof pages === 'function' ? pages(record) : addressOf(pages, record)
    return typeof address === 'string' ? safeAddress(address) : undefined
  } catch {
    return undefined
  }
}

/** The same as a whole address, for mails: a path is one of the host that `settings` is at. */
export function addressInCrm(crm: WithPages, record: CrmRecord, settings: string): string | undefined {
  const page = pageInCrm(crm, record)
  return page && new URL(page, settings).href
}

/** Names of the environment that the patterns use. */
export const environmentOfPages = (pages: CrmPages | undefined): string[] =>
  typeof pages === 'object' ? [...new Set(Object.values(pages).flatMap(namesIn))] : []

/** What a pattern may be, before its gaps are filled. */
export const isPagePattern = (it: string): boolean =>
  /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)[:/]|\/(?![/\\])|\{env \w+\})/.test(it) &&
  [...it.matchAll(/\{([^}]*)\}/g)].every(([, gap]) => /^(id|workspace|env \w+)$/.test(gap ?? ''))

const namesIn = (pattern: string) => [...pattern.matchAll(/\{env (\w+)\}/g)].map(([, name]) => name!)

function addressOf(pages: PagePatterns, { kind, id, workspace }: CrmRecord): string | undefined {
  if (kind === 'base' || !Object.hasOwn(pages, kind)) return undefined
  const pattern = pages[kind] ?? ''
  const whole = pattern.startsWith('/') ? (pages.base ?? '').replace(/\/+$/, '') + pattern : pattern
  if (/^\.{1,2}$/.test(id) || namesIn(whole).some(it => !process.env[it])) return undefined
  const values: Record<string, string> = { id: encodeURIComponent(id), workspace: encodeURIComponent(workspace.slug) }
  return whole.replace(/\{(?:env )?(\w+)\}/g, (gap, name) =>
    gap.startsWith('{env ') ? process.env[name]!.replace(/\/+$/, '') : (values[name] ?? ''),
  )
}

/** A stand-in for the host that the settings are at. */
const here = 'https://settings.invalid'

/** As a browser reads it; undefined for any other scheme, for another host in a path, and for one with a password. */
function safeAddress(address: string): string | undefined {
  const path = address.startsWith('/')
  const url = URL.parse(address, path ? here : undefined)
  if (!url || url.username || url.password) return undefined
  if (path) return url.origin === here ? url.pathname + url.search + url.hash : undefined
  return url.protocol === 'https:' || isThisMachine(url) ? url.href : undefined
}

const isThisMachine = ({ protocol, hostname }: URL) =>
  protocol === 'http:' && (hostname === 'localhost' || hostname === '127.0.0.1')
