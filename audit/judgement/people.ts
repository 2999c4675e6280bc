import { clientSide, credential, notClientSide, strongArea } from '../lexicon.ts'
import type { Column, Evidence, Facts, Table } from '../model.ts'
import { wordsIn } from '../names.ts'
import { anyWord, either } from '../patterns.ts'
import type { DataMap } from './data-map.ts'
import type { ClassifiedRoute } from './surface.ts'

/** How people of clients sign in, and the evidence for it. */
export interface ClientPeople {
  /** A table or model of their own, or a type of user. */
  identity?: { how: 'table' | 'guard' | 'type'; table?: Table; evidence: Evidence[] }
  credentials: { table: Table; column: Column }[]
  /** Where they sign in. */
  signIn: ClassifiedRoute[]
  /** Routes behind a guard for clients. */
  inside: ClassifiedRoute[]
  /** Pages of the browser application in a client area. */
  pages: ClassifiedRoute[]
  storage: Evidence[]
}

export function findClientPeople(facts: Facts, data: DataMap, surface: ClassifiedRoute[]): ClientPeople {
  const { tables } = facts
  const inside = surface.filter(it => it.actor === 'client' && !it.route.page)
  const own = tables.filter(it => isPeople(it, data))
  const credentials = own.flatMap(table =>
    table.columns
      .filter(
        it =>
          credential.test(it.name) &&
          !/smtp|imap|mail_?pass|api|ftp|wifi|device|security_code/i.test(`${table.name}.${it.name}`),
      )
      .map(column => ({ table, column })),
  )
  const guarded = facts.identities.filter(it => it.kind !== 'type' && isClients(`${it.name} ${it.table ?? ''}`))
  const types = facts.identities.filter(it => it.kind === 'type')
  const links = linksOf(tables, data, inside.length > 0)
  const stored = portalStorage(tables)
  const signIn = surface.filter(
    it =>
      !it.route.page && isSignIn(it) && (it.area !== undefined || it.actor === 'client' || isClients(it.route.handler)),
  )
  const shared =
    inside.length > 0 && (types.length > 0 || links.length > 0)
      ? surface.filter(it => isSignIn(it) && it.actor !== 'staff' && !it.route.page)
      : []

  const pages = surface.filter(it => it.route.page && it.area !== undefined && strongArea.test(it.area))
  const identity = (): ClientPeople['identity'] => {
    const limited = inside.filter(it => it.limited)
    if (limited.length && !signIn.length)
      return {
        how: 'type',
        table: tables.find(it => it.name === data.staff_users.table),
        evidence: [...keyOfLimited(inside, data), ...limited.slice(0, 2).map(it => it.route.at)],
      }
    if (credentials.length)
      return {
        how: 'table',
        table: personsOf(credentials[0]!.table, tables),
        evidence: [`${credentials[0]!.table.name}.${credentials[0]!.column.name}`, credentials[0]!.column.at],
      }
    if (guarded.length)
      return {
        how: 'guard',
        table: tables.find(
          it => it.model === guarded[0]!.table || wordsIn(it.name).join() === wordsIn(guarded[0]!.table ?? '').join(),
        ),
        evidence: guarded.map(it => it.at).slice(0, 3),
      }
    const staff = tables.find(it => it.name === data.staff_users.table)
    if (
      (types.length && (links.length || inside.length)) ||
      (links.length && (inside.length >= 2 || pages.length >= 2))
    )
      return { how: 'type', table: staff, evidence: [...types.slice(0, 2).map(it => it.at), ...links.slice(0, 2)] }
    return undefined
  }
  const found = identity()
  return {
    ...(found && { identity: found }),
    credentials,
    signIn: signIn.length ? signIn : shared,
    inside,
    pages,
    storage: [...new Set([...stored, ...links, ...keyOfLimited(inside, data)])],
  }
}

/** The column that makes a user one of a client's. */
const keyOfLimited = (inside: ClassifiedRoute[], data: DataMap): Evidence[] =>
  inside.some(it => it.limited) ? [`${data.staff_users.table}.${data.staff_users.client}`] : []

/** The people that a table of sessions or codes points at; else the table itself. */
const personsOf = (table: Table, tables: Table[]): Table =>
  /(session|token|login|otp|auth)s?$/i.test(table.name)
    ? (tables.find(it => table.columns.some(one => one.references?.toLowerCase() === it.name.toLowerCase())) ?? table)
    : table

const isPeople = (table: Table, data: DataMap) =>
  table.name !== data.staff_users.table &&
  (table.name === data.clients.table ||
    table.name === data.contacts.table ||
    (isClients(table.name) &&
      !/(setting|config|log|template|tag|group|type|address|note|custom|gateway|subscription|reset|field)/i.test(
        table.name,
      )))

const isClients = (text: string) => clientSide.test(text) && !notClientSide.test(text) && !/oauth/i.test(text)

const isSignIn = ({ route, words }: ClassifiedRoute) =>
  signInWord.test(words) &&
  !/\b(reset|forgot|logout|log out|oauth|callback|verify email)\b/i.test(words) &&
  route.method !== 'DELETE'

const signInWord = anyWord(
  /log ?in|sign ?in/,
  'signin authenticate auth session sessions otp magic passwordless connexion anmelden entrar acceder ingresar acessar einloggen anmeldung giris',
  /key login/,
)

/** Tables and columns that connect users with clients. */
function linksOf(tables: Table[], data: DataMap, entered: boolean): Evidence[] {
  const staff = tables.find(it => it.name === data.staff_users.table)
  const columns =
    staff?.columns.filter(
      it =>
        /^(contact|client|customer|partner|portal)(_?id)?$/i.test(it.name) ||
        /is_?(portal|client|customer)(_?user)?$|^(is_?)?external(_?user)?$|^share$|^user_?type$|^usertype$/i.test(
          it.name,
        ),
    ) ?? []
  const joins = tables.filter(it => it.columns.length <= 8 && joinTable.test(it.name.replace(/^(ip|crm|tbl)_/, '')))
  // Where no client signs in, a contact's user is the member of staff who looks after it.
  const persons = entered ? tables.filter(it => it.name === data.contacts.table || it.name === data.clients.table) : []
  const users = persons.flatMap(it =>
    it.columns
      .filter(one => /^(portal_?)?user(_?id)?$/i.test(one.name))
      .map(one => `${it.name}.${one.name} (${one.at})`),
  )
  const kinds =
    staff?.columns.filter(it => it.values?.some(one => /^(portal|client|customer|guest|contact)$/i.test(one))) ?? []
  return [
    ...[...columns, ...kinds].map(it => `${staff!.name}.${it.name} (${it.at})`),
    ...users,
    ...joins.map(it => `${it.name} (${it.at})`),
  ]
}

const usersToClients = /(user|portal_user)s?_?(client|customer|contact|account|partner)s?/
const clientsToUsers = /(client|customer|contact|account|portal)s?_?users?/
const joinTable = new RegExp(`^(\\w+_)?(${either(usersToClients, clientsToUsers).source})$`, 'i')

/** Tables and columns that a CRM has only because clients sign in: their sessions, tokens and switches. */
const portalStorage = (tables: Table[]): Evidence[] =>
  tables.flatMap(table => {
    if (portalTable.test(table.name) && !/vendor|supplier|gateway|oauth/i.test(table.name))
      return [`${table.name} (${table.at})`]
    return table.columns.filter(it => portalColumn.test(it.name)).map(it => `${table.name}.${it.name} (${it.at})`)
  })

const tableOfPortal = /(^|_)((client|customer)_?)?(portal|webportal)(_|$)/
const tableOfAccess = /(client|customer|contact|guest)_?(session|token|login|auth|invitation|otp)s?$/
const portalTable = new RegExp(either(tableOfPortal, tableOfAccess), 'i')

const portalSettings = either(
  'enable_?(client_?)?portal',
  /portal_(pin|password|access|token|user|enabled)\w*/,
  /is_?portal\w*|has_?portal\w*/,
  'contact_?key',
  /client_?portal\w*/,
)
const portalColumn = new RegExp(`(^|_)(${portalSettings.source})$`, 'i')
