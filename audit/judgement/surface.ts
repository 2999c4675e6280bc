import {
  clientSide,
  type DocumentKind,
  documentWords,
  notClientSide,
  strongArea,
  tokenParameter,
  weakArea,
} from '../lexicon.ts'
import type { Route } from '../model.ts'
import { spoken } from '../names.ts'
import { anyPart, either } from '../patterns.ts'

/** Who can call a route: a signed-in client, whoever holds a token, staff, or anybody. */
type Actor = 'client' | 'holder' | 'staff' | 'anybody'

export interface ClassifiedRoute {
  route: Route
  actor: Actor
  /** The part of the address that is for clients, if there is one. */
  area?: string
  documents: Set<DocumentKind>
  /** Whether it is for staff, and for users who belong to a client too. */
  limited?: boolean
  writes: boolean
  /** What the address and the handler say, in words. */
  words: string
}

/** Each route with its actor, what it reaches and whether it writes. */
export function classifyRoutes(routes: Route[]): ClassifiedRoute[] {
  const server = routes.filter(it => !it.page)
  // Where hardly any guard is found, the audit has missed them: routes without a guard then mean nothing.
  const informed =
    server.filter(it => it.guards.length || it.open || staffInside.test(head(it))).length >= server.length * 0.35
  return routes.map(route => {
    const area = areaOf(route)
    const words = spoken(`${withoutParameters(route.path)} ${route.handler.split(/[/\\]/).at(-1)}`)
    const documents = new Set(kindsIn(words))
    const actor = actorOf(route, area, informed)
    if (!documents.size && (actor === 'holder' || actor === 'client'))
      for (const it of kindsInBody(route.body)) documents.add(it)
    return { route, actor, ...(area && { area }), documents, writes: writes(route), words }
  })
}

/** Whether a handler itself reads who is asking, from a session. */
export const knowsWhoAsks = (route: Route) => staffInside.test(head(route)) || scoped.test(route.body)

const head = (route: Route) => route.body.slice(0, 3000)
const withoutParameters = (path: string) => path.replace(/:\w+/g, ' ')

/** An address is an area's when the word stands in front, and nothing before it is about staff, suppliers or billing. */
export function areaOf({ path, at, page, method }: Route): string | undefined {
  const parts = path.split('/').filter(Boolean)
  const clean = parts.filter(
    it => !/^(api|v\d+(\.\d+)?|rest|web|index\.php|:\w+|public|track|admin-api|(?!my$)\w{2})$/i.test(it),
  )
  const before = parts.slice(
    0,
    parts.findIndex(it => strongArea.test(it) || weakArea.test(it)),
  )
  if (
    before.some(it =>
      /(admin|settings?|staff|billing|stripe|vendor|supplier|subscription|internal|manage|config|super|graphql)/i.test(
        it,
      ),
    )
  )
    return undefined
  const strong = clean.slice(0, 2).find(it => strongArea.test(it.replace(/\.php$/, '')))
  if (strong) return strong
  const weak = clean[0] && weakArea.test(clean[0].replace(/\.php$/, '')) ? clean[0] : undefined
  if (weak) return weak
  const folder =
    !page && method
      ? at.match(
          /(?:^|\/)(ClientPortal|CustomerPortal|client[_-]portal|customer[_-]portal|webportal|portal)(?=\/|\.|Controller)/i,
        )?.[1]
      : undefined
  return folder && !/(admin|settings?|vendor|supplier|billing)/i.test(at) ? folder : undefined
}

function actorOf(route: Route, area: string | undefined, informed: boolean): Actor {
  const guards = route.guards.filter(it => !neutral.test(it))
  const clientGuards = guards.filter(isClientGuard)
  const asksForClient = clientGuards.some(it =>
    /auth|login|session|controller|require|ensure|guard|logged|protect|verify|is[A-Z_]/i.test(it),
  )
  if (clientGuards.length && (asksForClient || !tokenIn(route))) return 'client'
  const behindStaffGuard = guards.some(it => staffGuard.test(it) && !tokenGuard.test(it))
  const body = head(route)
  if (!behindStaffGuard && guards.some(it => /^(signed|ValidateSignature)\b/.test(it))) return 'holder'
  const strong = area !== undefined && (strongArea.test(area) || /portal/i.test(area))
  if (behindStaffGuard) return strong && scoped.test(route.body) ? 'client' : 'staff'
  const forClients =
    area !== undefined || route.open || /public|share|sign|view|guest|portal|invit|online|pay/i.test(route.path)
  const token = tokenIn(route)
  if (token && (forClients || (informed && token === 'named'))) return 'holder'
  if (!route.open && staffInside.test(body) && !scoped.test(route.body)) return 'staff'
  if (area && (strong || informed) && scoped.test(route.body) && clientInside.test(route.body)) return 'client'
  return 'anybody'
}

/** A permission about clients is for staff; what clients themselves may do is named after the portal. */
const permission =
  /permission|^can\b|abilit|scope|(^|[-_.:('"])(create|read|update|delete|view|edit|add|manage|list|write)([-_.'")]|$)/i

/** `assertCanWriteContact`, `verifyReadAccount` */
const permissionCall = /[cC]an[A-Z]|(Write|Read|Edit|Update|Delete|Create|Manage)[A-Z]/

export const isClientGuard = (guard: string) =>
  !((permission.test(guard) || permissionCall.test(guard)) && !/portal/i.test(guard)) &&
  (/auth:(contact|client|customer)/.test(guard) ||
    (clientSide.test(guard) &&
      !notClientSide.test(guard) &&
      !/^guest\b|^(web|api)$|company|account|enabled|register|key_login|access|belong|exist|find|load|fetch|owner|limit/i.test(
        guard,
      )))

const neutralStart = either(
  /throttle|locale|cors|csrf|web$|api$|guest$|guest:|domain|rate|limit|helmet|json|tenant|inline guard$/,
  'requestLogger errorEnvelope crashGuard compression bodyParser validate verifyCsrf upload cache log',
)
/** Middleware that lets everybody in. */
const neutral = new RegExp(`^(${neutralStart.source})`, 'i')
const staffGuard = anyPart(
  'auth login logged signed_?in session user admin staff permission role jwt sanctum polic',
  /^can:/,
  'ability authorize protect restricted access',
  /api.?key/,
  'passport requires? ensure IsAuthenticated Required Controller verifyToken valid(ate)?Token isValid guard bearer',
  /main\.inc/,
)
const tokenGuard =
  /(invit|signed$|ValidateSignature|public.?token|link.?token|share|hash|publicRate|rateLimit|optional)/i

const sessionFunctions = either(
  /getServerSession|auth\(\)|auth\.protect/,
  'requireAuth requireUser requireSession requirePermission',
  /getSession\(|getCurrentUser|currentUser\(|current_user/,
)
const staffOfRequest =
  /request\.user\b|req\.user\b|req\.admin\b|Auth::user|auth\(\)->user|\$this->getUser\(\)|getUser\(/
const checksOfFrameworks = either(
  /locals\.user|checkAuth|restrictedArea|accessforbidden|\$_SESSION|frappe\.has_permission/,
  /verifyToken|get_current_user|session\.user/,
)
/** In a handler: code that reads which member of staff is asking. */
const staffInside = new RegExp(`(${either(sessionFunctions, staffOfRequest, checksOfFrameworks).source})`)

const clientName =
  '(cliente?|customer|contact|portal|(?:commercial_)?partner|guest|kunde)(?:_?(?:id|s|user|contact|person))*\\b'
/** What may stand between a session and its client; not a database or service, which leads to every row. */
const pathToClient =
  '(?:(?!\\b(?:db|prisma|models?|orm|em|services?|repositor\\w*)\\b|env\\[)[\\w.()\\->[\\]\'"?!:$]){0,40}?'

/** In a handler: code that takes the client from the session, and not from the request. */
export const scoped = new RegExp(
  [
    `\\b(session|locals|ctx|context|auth|current|user)(\\(\\))?${pathToClient}${clientName}`,
    `\\b(req|request)\\b(?!\\s*(?:\\.|->)\\s*(?:body|params?|query|input|get|post|all|only|validated|data|files?|headers?|request|route)\\b|\\(|\\[)${pathToClient}${clientName}`,
    'current_(client|customer|contact|portal_user|partner)',
    'get_?(client|customer|contact)_?(user_?)?id\\(',
    'user_clients',
    'get_customer\\w*\\(frappe\\.session|frappe\\.session\\.user',
    `\\$_SESSION\\[['"](client|customer|contact)\\w*['"]\\]`,
    `guard\\(['"](contact|client|customer)`,
    'context_thirdparty',
    '"(contact|account|customer|client)Link"',
    // Java, C#, Go: who is signed in, from the context of the request.
    '(?:current|logged_?in|authenticated|principal)\\w{0,12}(?:\\(\\))?[.?!]{0,2}(?:get)?\\w{0,8}(client|customer|contact)\\w*',
    'c\\.(?:Get|MustGet|GetString|GetU?[Ii]nt\\w*|Locals)\\(\\s*["\'](client|customer|contact)',
    '\\.Value\\(\\s*\\w*(client|customer|contact)',
    'FindFirst(?:Value)?\\(\\s*"?\\w*(client|customer|contact)',
    'assigns\\.(?:current_)?(client|customer|contact|portal)',
  ].join('|'),
  'i',
)

const clientInside = /(client|customer|contact|portal|guest|partner)/i

/** Whether a token in the address, or in the query, opens the document: surely (`named`) or likely. */
function tokenIn({ path, body, guards, open }: Route): 'named' | 'likely' | undefined {
  if (/reset|unsubscribe|webhook|password/i.test(path)) return undefined
  const parameters = [...path.matchAll(/:(\w+)/g)]
    .map(it => it[1]!)
    .filter(it => tokenParameter.test(it) && !/^(access|public|reset)$/i.test(it) && !codeOfThings.test(it))
  if (parameters.length && !/verify|confirm-?email|activate|invite|oauth|csat|survey/i.test(path))
    return parameters.some(it => /(token|key|hash|secret|signature|invitation)$/i.test(it)) ? 'named' : 'likely'
  const unguarded = open || !guards.some(it => !neutral.test(it))
  return unguarded && possession.test(body) ? 'named' : undefined
}

/** Codes that name a kind of thing, and open nothing. */
const codeOfThings =
  /(item|crypto|country|currency|postal|zip|bar|product|lang|language|tax|state|status|sku|coupon|discount|error|plan)_?code$/i

const possession = /\b((access|public|tracking|share|view|portal)_?(token|key|hash)|securekey|url_key|decrypt\w*)\b/i

const kindsIn = (words: string) =>
  (Object.keys(documentWords) as DocumentKind[]).filter(it => documentWords[it].test(words))

/** The documents that a handler names most often, for where its address does not say. */
function kindsInBody(body: string): DocumentKind[] {
  const text = spoken(body.slice(0, 20_000))
  const counted = (['quotations', 'invoices', 'proposals', 'tickets', 'projects', 'tasks'] as const).map(kind => ({
    kind,
    count: text.match(new RegExp(documentWords[kind].source, 'gi'))?.length ?? 0,
  }))
  const most = Math.max(...counted.map(it => it.count))
  return most < 3 ? [] : counted.filter(it => it.count >= most * 0.5).map(it => it.kind)
}

const writingSql = /(INSERT\s+INTO|UPDATE\s+[\w"`${}.]+\s+SET|DELETE\s+FROM)\b/
const writingMethods = either(
  'save create update insert delete destroy upsert insertOne updateOne updateMany findOneAndUpdate findByIdAndUpdate',
  'createQueryBuilder persist flush forceFill sign approve accept reject decline closeProposal',
  /mark\w*/,
  'db_set submit write',
  /action_\w+/,
  'add_comment message_post set',
)
const callsOfServices = /(service|Service|Action|Job)\b/
/** Code that changes data. */
const writing = new RegExp(
  `\\b${writingSql.source}|(->|\\.)(${writingMethods.source})\\w*\\s*\\(|${callsOfServices.source}`,
  'i',
)

const writes = ({ method, body }: Route) =>
  /^(POST|PUT|PATCH|DELETE)$/.test(method) ||
  (method !== 'GET'
    ? writing.test(body)
    : /(approve|accept|reject|decline|sign|mark_viewed|delete|cancel|save|create)/i.test(body) && writing.test(body))
