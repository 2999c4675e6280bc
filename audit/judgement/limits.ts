import { anyPart } from '../patterns.ts'
import { type Answer, type Answers, type Findings, implemented, missing, partial, shown, staffOnly } from './answer.ts'
import { concernsClients } from './tokens.ts'
import { clientSurface, messagesOf } from './views.ts'

/** F: what the admin can show or hide, whether clients may comment, and whether their activity is logged. */
export const judgeLimits = (findings: Findings): Pick<Answers, 'F1' | 'F2' | 'F3'> => ({
  F1: judgeSwitches(findings),
  F2: judgeComments(findings),
  F3: judgeActivityLog(findings),
})

function judgeSwitches(findings: Findings): Answer {
  const found = Map.groupBy(
    findings.facts.mentions.filter(one => one.kind === 'switch'),
    one => one.text.toLowerCase().replace(/_/g, ''),
  )
  const columns = findings.facts.tables.flatMap(table =>
    table.columns.filter(one => visibilityColumn.test(one.name)).map(one => `${table.name}.${one.name} (${one.at})`),
  )
  const assigned = findings.people.storage.filter(one => /user_?s?_?(client|customer)|client_?users?/i.test(one))
  const evidence = [...[...found.values()].map(([first]) => `${first!.text} (${first!.at})`), ...columns]
  if (!clientSurface(findings).length) return missing('Clients see nothing that could be ruled.', [], 0.8)
  const roles = findings.facts.tables
    .filter(one => /(portal|client|customer)_?(portal_?)?(role|permission|menu|setting|right)s?$/i.test(one.name))
    .map(one => `${one.name} (${one.at})`)
  if (findings.people.inside.length && roles.length)
    return implemented('Roles or settings rule what clients see.', [...roles, ...evidence])
  if (findings.people.inside.length && found.size >= 3) return implemented('Switches rule what clients see.', evidence)
  if (evidence.length) return partial('Some things can be shown or hidden, one by one.', evidence)
  return assigned.length
    ? partial('The admin decides which clients a person may act for; nothing more.', assigned)
    : missing('The admin has no say in what clients see.', [], 0.6)
}

const visibilityColumn = anyPart(
  'public_link_enabled',
  /(visible|show|share[d]?|hide)\w*_?(to|for|from)?_?(client|customer|portal)/,
  /(client|customer)_(visible|can)/,
  'is_?public for_client portal_enabled enable_portal',
)

function judgeComments(findings: Findings): Answer {
  const found = messagesOf(findings).filter(one => one.writes && one.route.method !== 'GET')
  return found.length
    ? implemented('Clients leave comments.', shown(found, 3))
    : missing(
        'Comments are for staff.',
        staffOnly(findings.surface, one => one.documents.has('messages')),
        0.75,
      )
}

function judgeActivityLog(findings: Findings): Answer {
  const surface = clientSurface(findings)
  if (!surface.length) return missing('Clients do nothing that could be logged; the log is of staff.', [], 0.8)
  const table = findings.facts.tables.find(one => one.name === findings.data.activity.table)
  const actor = table?.columns.find(one => actorColumn.test(one.name) && !/^client_id$/i.test(one.name))
  const logging = surface.filter(one => loggingCode.test(one.route.body))
  if (table && actor && findings.people.inside.length)
    return implemented('Events name the client who caused them.', [
      `${table.name}.${actor.name} (${actor.at})`,
      ...shown(logging, 2),
    ])
  const viewed = findings.facts.tables.flatMap(one =>
    one.columns
      .filter(column => momentColumn.test(column.name) && concernsClients(one, findings.data))
      .map(column => `${one.name}.${column.name} (${column.at})`),
  )
  const marked = surface.filter(one => /(mark_?viewed|viewed_?at|is_?viewed|markAsViewed)/i.test(one.route.body))
  if (logging.length || viewed.length || marked.length)
    return partial('Single moments are kept (viewed, answered, last seen); there is no log of what clients do.', [
      ...shown([...logging, ...marked], 3),
      ...viewed.slice(0, 3),
    ])
  return missing("No trace is kept of clients' doings.", [], 0.65)
}

const momentColumn = anyPart(
  /viewed|opened|last_?(login|seen)|accepted_?(ip|by|at)|first_view/,
  /ultimo_?(acesso|acceso)|derniere?_?(connexion|visite)|letzter?_?(zugriff|anmeldung)|son_?giris/,
)

const people = 'contact|portal_?user|customer_?user|client_?user'
const typesOfActors = 'actor_?type|causer_?type|user_?type|author_?type'
const actorColumn = new RegExp(`(${people}|${typesOfActors})(_?id)?$`, 'i')

const loggingCode = anyPart(
  'audit activity activities log_?activity event_?log addLog logEvent',
  /->log\(|Event::|event\(new|track\w*View/,
)
