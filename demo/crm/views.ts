import { relative } from 'node:path'
import { Eta } from 'eta'

const engines = new Map<string, Eta>()

type Data = { settings: { views: string } }

export function viewEngine(file: string, data: object, done: (error: unknown, html?: string) => void): void {
  const { views } = (data as Data).settings
  try {
    done(null, etaOver(views).render(`/${relative(views, file).replace(/\.eta$/, '')}`, data))
  } catch (error) {
    done(error)
  }
}

function etaOver(views: string): Eta {
  if (!engines.has(views)) engines.set(views, new Eta({ views, cache: true, escapeFunction: escaped }))
  return engines.get(views)!
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : String(value).replace(/[&<>"']/g, character => entities[character]!)
}
