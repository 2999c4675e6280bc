import { acceptance, type DocumentKind, payment, statusAddress } from '../lexicon.ts'
import { anyPart } from '../patterns.ts'
import { type Answer, type Answers, type Findings, implemented, missing, partial, shown, staffOnly } from './answer.ts'
import { gatewaysOf } from './gateways.ts'
import type { ClassifiedRoute } from './surface.ts'

/** B and C: what a client, or somebody with a link, can see and do. */
export function judgeViews(
  findings: Findings,
): Pick<Answers, 'B1' | 'B2' | 'B3' | 'B4' | 'B5' | 'B6' | 'B7' | 'B8' | 'C1' | 'C2' | 'C3' | 'C4'> {
  const { data } = findings
  return {
    B1: judgeView(findings, 'proposals', data.proposals.table),
    B2: judgeView(findings, 'quotations', data.quotations.table),
    B3: judgeView(findings, 'invoices', data.invoices.table),
    B4: judgeAcceptance(findings),
    B5: judgePayment(findings),
    B6: judgeTasks(findings),
    B7: judgeFiles(findings),
    B8: judgeMessages(findings),
    C1: judgePublicView(findings, 'proposals', data.proposals.table),
    C2: judgePublicView(findings, 'quotations', data.quotations.table),
    C3: judgePublicView(findings, 'invoices', data.invoices.table),
    C4: judgeAcceptanceByLink(findings),
  }
}

/** Routes for signed-in clients, and routes that a token opens. */
const signedIn = ({ surface }: Findings) => surface.filter(it => it.actor === 'client' && !it.route.page)
const openedByToken = ({ surface }: Findings) =>
  surface.filter(it => it.actor === 'holder' && !it.route.page && it.documents.size > 0)
/** All routes for clients: signed in, or by a token. */
export const clientSurface = (findings: Findings) => [...signedIn(findings), ...openedByToken(findings)]

function judgeView(findings: Findings, kind: DocumentKind, table: string | null): Answer {
  if (!table) return missing(`The CRM keeps no ${kind}.`)
  const about = concerns(findings, kind)
  const inside = signedIn(findings).filter(about)
  if (inside.length) return implemented(`Signed-in clients reach ${kind}.`, [...shown(inside, 3), table])
  const linked = openedByToken(findings).filter(one => one.documents.has(kind))
  if (linked.length)
    return partial(`Clients see ${kind} by a link only; signed in they see none.`, [...shown(linked, 3), table])
  return missing(
    `No route leads a client to ${kind}: they are for staff.`,
    staffOnly(findings.surface, one => one.documents.has(kind)),
    0.8,
  )
}

/** Quotations in the table of the invoices are reached by the routes of invoices. */
const concerns =
  ({ data }: Findings, kind: DocumentKind) =>
  (one: ClassifiedRoute) =>
    one.documents.has(kind) ||
    (kind === 'quotations' && data.quotations.table === data.invoices.table && one.documents.has('invoices'))

function judgePublicView(findings: Findings, kind: DocumentKind, table: string | null): Answer {
  const linked = openedByToken(findings).filter(concerns(findings, kind))
  if (linked.length && table)
    return implemented(`A link with a token opens ${kind} without sign-in.`, [...shown(linked, 3), table])
  if (linked.length && findings.data.quotations.table === null && kind === 'quotations')
    return missing('The CRM keeps no quotations.')
  const pages = findings.surface.filter(one => one.route.page && one.actor === 'holder' && one.documents.has(kind))
  if (pages.length && table)
    return partial(`There is a page for ${kind} with a token; what answers it was not found.`, shown(pages, 2), 0.4)
  return missing(
    table ? `No link opens ${kind} without sign-in.` : `The CRM keeps no ${kind}.`,
    table ? staffOnly(findings.surface, one => one.documents.has(kind)) : [],
    0.8,
  )
}

const toAnswer = (it: ClassifiedRoute) => acceptance.test(it.words) && (it.writes || it.route.method !== 'GET')

const setsStatus = ({ route }: ClassifiedRoute) => route.method !== 'GET' && statusAddress.test(route.path)

function acceptances(findings: Findings) {
  const offers: DocumentKind[] = ['quotations', 'proposals']
  return clientSurface(findings).filter(
    one =>
      (toAnswer(one) || setsStatus(one)) &&
      (offers.some(kind => one.documents.has(kind)) || /contract|proof|sign\b|onlinesign/i.test(one.words)) &&
      !/sign ?(in|up|out)|unsubscri|cookie|terms/i.test(one.words),
  )
}

function judgeAcceptance(findings: Findings): Answer {
  const found = acceptances(findings)
  const storage = answerColumns(findings)
  if (
    found.length &&
    (storage.length || found.some(one => /status|state|approved|accepted|signature/i.test(one.route.body)))
  )
    return implemented('Clients accept or reject, and it is stored.', [...shown(found, 3), ...storage.slice(0, 2)])
  if (found.length) return partial('Clients can answer; where it is stored was not found.', shown(found, 3), 0.5)
  const signing = findings.facts.packages.filter(one => signatures.test(one.name))
  return missing(
    signing.length
      ? 'A package for signatures is there; no route lets a client sign.'
      : 'No client can approve or sign: approvals, if any, are for staff.',
    [...signing.map(one => `${one.name} (${one.at})`), ...staffOnly(findings.surface, toAnswer)],
    signing.length ? 0.6 : 0.75,
  )
}

const signatures = /docu-?sign|hello-?sign|signature[-_]?pad|documenso|you-?sign|adobe-?sign|bold-?sign|signrequest/i

/** Acceptance by a link. Where the link shows an offer and accepting needs a sign-in, the answer is partial. */
function judgeAcceptanceByLink(findings: Findings): Answer {
  const found = acceptances(findings)
  const linked = found.filter(one => one.actor === 'holder')
  if (linked.length)
    return implemented('Who holds the link accepts or rejects, and it is stored.', [
      ...shown(linked, 3),
      ...answerColumns(findings).slice(0, 2),
    ])
  const linkedOffers = openedByToken(findings).some(
    it => it.documents.has('quotations') || it.documents.has('proposals'),
  )
  if (found.length && linkedOffers)
    return partial('Clients accept or reject once signed in; not from the link alone.', shown(found, 3))
  if (found.length)
    return missing('Clients accept or reject once signed in; no link shows them an offer.', shown(found, 3))
  return missing('Nothing can be accepted from a public page.', staffOnly(findings.surface, toAnswer), 0.75)
}

function answerColumns({ facts, data }: Findings): string[] {
  const places = [data.quotations.table, data.proposals.table].filter(it => it !== null)
  return facts.tables
    .filter(it => places.includes(it.name) || /(signature|acceptance|approval)/i.test(it.name))
    .flatMap(table =>
      table.columns
        .filter(it => responseWord.test(it.name) || it.values?.some(one => responseWord.test(one)))
        .map(it => `${table.name}.${it.name} (${it.at})`),
    )
}

const responseWord = anyPart(
  'accept accett acept aceit approv aprob aprov signed signature firmad unterschr angenommen',
  'reject rechaz declin refus rifiut abgelehnt',
)

function judgePayment(findings: Findings): Answer {
  const ways = clientSurface(findings).filter(
    one => payment.test(one.words) && !/payment_?methods?$|history/i.test(one.route.path),
  )
  const acting = ways.filter(
    one => one.writes || /checkout|gateway|stripe|paypal|pay\b|process|intent|session/i.test(one.words),
  )
  const gateways = gatewaysOf(findings.facts)
  if (acting.length && gateways.length)
    return implemented('Clients pay through a gateway.', [
      ...shown(acting, 3),
      ...gateways.map(one => one.at).slice(0, 2),
    ])
  if (acting.length) return partial('There is a way to pay; no gateway was found behind it.', shown(acting, 3), 0.5)
  if (ways.length) return partial('Clients see payments and cannot make one.', shown(ways, 2), 0.5)
  return missing(
    'Clients cannot pay: payments are recorded by staff.',
    staffOnly(findings.surface, one => payment.test(one.words)),
    0.75,
  )
}

function judgeTasks(findings: Findings): Answer {
  const found = signedIn(findings).filter(one => one.documents.has('tasks'))
  const table = findings.facts.tables.find(one => one.name === findings.data.tasks.table)
  const assigned = table?.columns.find(
    one => /(client|customer|contact|portal)/i.test(one.name) && /(assign|visible|for_|_id|to_)/i.test(one.name),
  )
  if (found.length && table && assigned && found.some(one => one.writes || /assign/i.test(one.route.body)))
    return implemented('Clients see tasks of theirs.', [
      ...shown(found, 3),
      `${table.name}.${assigned.name} (${assigned.at})`,
    ])
  if (found.length) return partial('Clients see tasks of their record; none is assigned to them.', shown(found, 3))
  return missing('Tasks are assigned to staff only.', table ? [table.name] : [], 0.8)
}

function judgeFiles(findings: Findings): Answer {
  const found = clientSurface(findings).filter(
    one => one.documents.has('documents') && !/(?:^|\s)uploads?\s+(logo|avatar|photo)/i.test(one.words),
  )
  const shared = found.filter(one => !/\bpdf\b/i.test(one.route.path))
  const others = clientSurface(findings).filter(one => /\b(pdf|photos?|images?|receipt|statement)\b/i.test(one.words))
  if (shared.length) return implemented('Clients reach files.', shown(shared, 3))
  if (others.length && others.some(one => one.actor === 'client'))
    return partial('Clients get single files (PDF, photographs); there is no library of documents.', shown(others, 3))
  return missing('No file is shared with clients beyond the printed document.', shown(others, 2), 0.7)
}

export function messagesOf(findings: Findings) {
  return clientSurface(findings).filter(
    one =>
      one.documents.has('messages') &&
      !/(private|internal|credit|delivery|release|debit|chatbot|assistant) ?notes?/i.test(one.words) &&
      !/(csat|survey|feedback|unsubscribe|webhook|sms)/i.test(one.route.path),
  )
}

function judgeMessages(findings: Findings): Answer {
  const found = messagesOf(findings)
  const writing = found.filter(one => one.writes && one.route.method !== 'GET')
  if (writing.length) return implemented('Clients write messages or comments.', shown(writing, 3))
  if (found.length) return partial('Clients read messages and cannot write.', shown(found, 3), 0.5)
  return missing(
    'Messages and comments are between staff.',
    staffOnly(findings.surface, one => one.documents.has('messages')),
    0.75,
  )
}
