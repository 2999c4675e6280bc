import { acceptance, type DocumentKind, documentWords, payment } from '../lexicon.ts'
import type { Coverage, Evidence, Facts, Route } from '../model.ts'
import { spoken } from '../names.ts'
import { anyName } from '../patterns.ts'
import type { QuestionId } from '../questionnaire.ts'
import { type ClassifiedRoute, knowsWhoAsks } from './surface.ts'

/** How much was read of each framework that routes were found of, or that a manifest names. */
export function coverageOf({ routes, packages }: Facts): Coverage[] {
  const read = Map.groupBy(routes.filter(isRead), it => it.framework!)
  const found = [...read].map(([framework, its]) => ({ framework, ...countsOf(its) }))
  const named = manifestNames.filter(([name, pattern]) => !read.has(name) && packages.some(it => pattern.test(it.name)))
  const unread = named.map(([framework]) => ({ framework, ...countsOf([]) }))
  return [...found, ...unread].sort((a, b) => b.routes - a.routes || a.framework.localeCompare(b.framework))
}

const isRead = (it: Route) => it.framework !== undefined && !it.page

const countsOf = (routes: Route[]) => ({
  routes: routes.length,
  guarded: routes.filter(it => it.guards.length > 0 || it.open || knowsWhoAsks(it)).length,
  handlers: routes.filter(it => it.body !== '').length,
})

/** What the manifests call the frameworks whose routes are read. */
const manifestNames: [framework: string, packageName: RegExp][] = [
  ['Express', anyName('express fastify koa hono')],
  ['Nest', anyName(/@nestjs\/core/)],
  ['tRPC', anyName(/@trpc\/server/)],
  ['GraphQL', anyName('graphql-yoga apollo-server type-graphql', /apollo-server-\w+|@apollo\/server/)],
  ['Next, SvelteKit, Nuxt or Remix', anyName('next nuxt', /@sveltejs\/kit|@remix-run\/(node|server-runtime)/)],
  ['Laravel, Slim or alike', anyName(/laravel\/(lumen-)?framework|slim\/slim/)],
  ['Symfony', anyName(/symfony\/(framework-bundle|symfony)/)],
  ['Rails', anyName('rails')],
  ['Django', anyName('django')],
  ['Flask, FastAPI or Odoo', anyName('flask fastapi')],
  ['Spring or JAX-RS', anyName(/spring-boot-starter-web(flux)?|spring-webmvc|jersey-\w+|resteasy-\w+|quarkus-rest\w*/)],
  [
    'Go routers',
    anyName(/github\.com\/(gin-gonic\/gin|labstack\/echo|go-chi\/chi|gofiber\/fiber|gorilla\/mux)(\/v\d+)?/),
  ],
  ['Phoenix', anyName('phoenix')],
]

/** The parts of the server that could hardly be read. */
export type Gap = 'routes' | 'guards' | 'handlers'

/** Fewer than this share of a framework's routes is too little to call anything missing that could be there. */
const enough = 0.25
/** A tree with fewer files has nowhere to hide routes. */
const smallTree = 20

/** What could not be read of where the answer to a question would be; no gap where the source was not given. */
export function gapFor(id: QuestionId, facts: Facts, surface: ClassifiedRoute[], gaps: Gap[]): Gap | undefined {
  if (noRoutesRead(facts)) return gaps.includes('routes') ? 'routes' : undefined
  const asked = gaps.filter(it => it !== 'routes')
  return asked.find(gap => {
    const { routes, share } = thinlyRead(facts, gap)
    if (share > 0.5 || !routes.size) return share > 0.5
    const bearing = surface.filter(it => isRead(it.route) && bears(id, it))
    return bearing.filter(it => routes.has(it.route) && isUnknown(it.route, gap)).length > bearing.length / 2
  })
}

/** Whether no route was read of a server that must be there, or of the language that most of it is written in. */
function noRoutesRead(facts: Facts): boolean {
  if ((facts.unread ?? 0) > (facts.files ?? 0)) return true
  const read = facts.routes.filter(isRead)
  return read.length ? silentLanguage(facts, read) : hidesRoutes(facts)
}

const hidesRoutes = (facts: Facts) => {
  const files = facts.files ?? smallTree
  return files === 0 || files >= smallTree || coverageOf(facts).length > 0
}

/** A language of servers that most files are written in, and no route. */
const silentLanguage = ({ languages = {}, files = 0 }: Facts, read: Route[]) =>
  Object.entries(languages).some(
    ([ending, count]) => count > files / 2 && count >= smallTree && !read.some(it => endingOf(it.at) === ending),
  )

const endingOf = (at: Evidence) => at.replace(/:\d+$/, '').split('.').at(-1)

/** The routes of the frameworks of which too little was read, and how large a part of all routes they are. */
function thinlyRead({ routes }: Facts, gap: 'guards' | 'handlers') {
  const read = Map.groupBy(routes.filter(isRead), it => it.framework!)
  const thin = [...read.values()].filter(its => {
    const { guarded, handlers } = countsOf(its)
    return (gap === 'guards' ? guarded : handlers) < its.length * enough
  })
  const all = [...read.values()].reduce((sum, its) => sum + its.length, 0)
  return { routes: new Set(thin.flat()), share: all ? thin.flat().length / all : 0 }
}

const isUnknown = (it: Route, gap: Gap) =>
  gap === 'handlers' ? it.body === '' : !it.guards.length && !it.open && !knowsWhoAsks(it)

const kinds: Partial<Record<QuestionId, DocumentKind[]>> = {
  B1: ['proposals'],
  C1: ['proposals'],
  B2: ['quotations'],
  C2: ['quotations'],
  B3: ['invoices'],
  C3: ['invoices'],
  B6: ['tasks'],
  B7: ['documents'],
  B8: ['messages'],
  F2: ['messages'],
  D4: ['quotations', 'invoices', 'proposals'],
  E3: ['quotations', 'proposals'],
  E4: ['invoices'],
}

/** Whether the answer to a question could be at a route: by its documents, its words, or a client area. */
function bears(id: QuestionId, { documents, words, area }: ClassifiedRoute): boolean {
  const about = kinds[id]
  if (about) return about.some(it => documents.has(it))
  if (id === 'B4' || id === 'C4') return acceptance.test(words)
  if (id === 'B5' || id === 'D5') return payment.test(words)
  return area !== undefined || (/^(A|D1)/.test(id) && /\b(log ?in|sign ?in|session|auth)\b/i.test(words))
}

/** What files are called where the answer to a question usually is. */
const topics: [RegExp, RegExp][] = [
  [/^(A|D1|D2)/, /auth|login|session|guard|security|identity|passport/i],
  [/^[BC]1/, documentWords.proposals],
  [/^([BC]2|E3)/, documentWords.quotations],
  [/^([BC]3|E4)/, documentWords.invoices],
  [/^[BC]4/, acceptance],
  [/^(B5|D5)/, payment],
  [/^B6/, documentWords.tasks],
  [/^B7/, documentWords.documents],
  [/^(B8|F2)/, documentWords.messages],
  [/^(E[12]|F1)/, /portal|client|customer|guest/i],
  [/^D4/, /polic|ability|authoriz|permission|access/i],
  [/^F3/, /activity|audit|history|event/i],
]

/** The three places to open first: routes that bear on the question, files named after it, then where guards and routes stand. */
export function placesToLook(id: QuestionId, facts: Facts, gap: Gap, surface: ClassifiedRoute[]): Evidence[] {
  const unknown = surface.filter(
    it => isRead(it.route) && bears(id, it) && (gap === 'routes' || isUnknown(it.route, gap)),
  )
  const routes = unknown.toSorted((a, b) => Number(b.area !== undefined) - Number(a.area !== undefined))
  const topic = topics.find(([ids]) => ids.test(id))?.[1]
  const named = topic ? (facts.paths ?? []).filter(it => topic.test(spoken(it.split('/').slice(-2).join(' ')))) : []
  const ofFramework = facts.packages.filter(it => manifestNames.some(([, pattern]) => pattern.test(it.name)))
  const places = [
    ...routes.slice(0, 2).map(it => it.route.at),
    ...named
      .toSorted((a, b) => rank(a) - rank(b))
      .slice(0, 2)
      .map(it => `${it}:1`),
    ...(facts.entrances ?? []),
    ...ofFramework.map(it => it.at),
  ]
  const files = Map.groupBy(places, it => it.replace(/:\d+$/, ''))
  return [...files.values()].map(([first]) => first!).slice(0, 3)
}

/** Files that answer requests come first, then short paths. */
const rank = (path: string) =>
  (/controller|route|handler|action|resolver|api|view|middleware|resource/i.test(path) ? 0 : 100) +
  (/component|migration|schema|model|entit|type/i.test(path) ? 50 : 0) +
  path.split('/').length
