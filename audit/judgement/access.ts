import { typedCredential } from '../lexicon.ts'
import type { Facts } from '../model.ts'
import { type Answer, type Answers, type Findings, implemented, missing, partial, shown } from './answer.ts'
import type { DataMap } from './data-map.ts'
import { isClientGuard } from './surface.ts'
import { documentTokens } from './tokens.ts'

/** A1 to A4, D1 and D2: whether clients can sign in. */
export function judgeAccess(findings: Findings): Pick<Answers, 'A1' | 'A2' | 'A3' | 'A4' | 'D1' | 'D2'> {
  const A1 = judgeSignIn(findings)
  return {
    A1,
    A2: judgeUserType(findings, A1),
    A3: judgeStorage(findings, A1),
    A4: judgeCredentials(findings, A1),
    D1: judgeAuthentication(findings, A1),
    D2: judgeTokens(findings, A1),
  }
}

function judgeSignIn({ people, facts, data, surface }: Findings): Answer {
  const { identity, signIn, inside } = people
  if (identity && signIn.length && inside.length)
    return implemented(
      `Clients sign in: ${identity.how === 'type' ? 'a type of user of their own' : 'an identity of their own'}, a sign-in and routes behind it were found.`,
      [...shown(signIn, 2), ...identity.evidence],
    )
  if (signIn.length && inside.length && people.storage.length)
    return implemented(
      'Clients sign in: a sign-in, sessions and routes behind it were found.',
      [...shown(signIn, 2), ...people.storage.slice(0, 2)],
      0.7,
    )
  const credential = passwordOf(facts, data)
  const staff = [
    ...(credential ? [credential] : []),
    ...shown(
      surface.filter(it => !it.route.page && /\b(log ?in|sign ?in)\b/i.test(it.words)),
      1,
    ),
  ]
  if (identity?.how === 'type' && inside.length && people.storage.length && credential)
    return implemented(
      'Clients are users of another type, and sign in where all users do.',
      [...identity.evidence, credential, ...shown(inside, 1)],
      0.6,
    )
  if (identity && inside.length)
    return partial('There is an identity and there are routes for clients; where they sign in was not found.', [
      ...identity.evidence,
      ...shown(inside, 2),
    ])
  if (identity && signIn.length)
    return partial('There is a sign-in for clients; nothing was found behind it.', [
      ...shown(signIn, 2),
      ...identity.evidence,
    ])
  if (identity && people.pages.length >= 2)
    return partial(
      'There are users of another type and pages for them; no server logic was found that knows them apart.',
      [...identity.evidence, ...shown(people.pages, 2)],
      0.5,
    )
  if (identity && identity.how !== 'type')
    return partial('Clients have credentials; no route by which they sign in was found.', identity.evidence, 0.5)
  return missing('No client can sign in: no credential, guard or sign-in of their own was found.', staff)
}

function judgeUserType({ people, facts }: Findings, login: Answer): Answer {
  const { identity } = people
  if (login.status === 'implemented' && identity)
    return implemented(
      identity.how === 'type'
        ? 'Clients are a type of user of their own.'
        : `Clients are kept apart from staff${identity.table ? `, in ${identity.table.name}` : ''}.`,
      identity.evidence,
    )
  if (login.status === 'implemented')
    return implemented('Clients have sessions of their own, apart from staff.', people.storage.slice(0, 2), 0.7)
  if (identity && (identity.how !== 'type' || login.status === 'partial'))
    return partial('Clients are kept apart and have credentials; the way in is missing.', identity.evidence, 0.5)
  const types = facts.identities.filter(one => one.kind === 'type')
  return missing(
    types.length
      ? 'A type of user is named for clients in the code, and nothing comes of it.'
      : 'Users are staff only.',
    types.map(one => one.at).slice(0, 2),
  )
}

function judgeStorage({ people, facts, surface, data }: Findings, login: Answer): Answer {
  const { storage, identity } = people
  const evidence = [...storage, ...(identity?.evidence ?? [])]
  if (login.status === 'implemented' && evidence.length)
    return implemented("What is kept for clients' access was found.", evidence)
  const held = surface.filter(it => it.actor === 'holder' && it.documents.size)
  const tokens = held.length ? documentTokens(facts.tables, data) : []
  if (storage.length && (login.status === 'partial' || held.length))
    return partial("Something is kept for clients' access, and no accounts.", [...storage, ...tokens])
  if (tokens.length) return partial('Documents have tokens for links; there are no accounts for clients.', tokens)
  if (evidence.length && login.status === 'partial')
    return partial("Something is kept for clients' access; the way in is missing.", evidence, 0.5)
  return missing("Nothing is kept for clients' access.", storage.slice(0, 2), 0.6)
}

function judgeCredentials({ people, facts, data }: Findings, login: Answer): Answer {
  const own = people.credentials.map(it => `${it.table.name}.${it.column.name} (${it.column.at})`)
  const users = passwordOf(facts, data)
  const shared = people.identity && people.identity.how !== 'table' && users ? [users] : []
  const coded = people.signIn.filter(it => typedCredential.test(it.route.body))
  if (login.status === 'implemented' && (own.length || shared.length || coded.length))
    return implemented(
      own.length
        ? 'Clients have a credential of their own.'
        : 'Clients sign in with the credentials of the users table.',
      [...own, ...shared, ...shown(coded, 2)],
    )
  if (login.status === 'implemented') return partial('Clients sign in; with what was not found.', login.evidence, 0.4)
  if (login.status === 'partial' && (own.length || shared.length))
    return partial('There is a credential; the way in is missing.', [...own, ...shared], 0.5)
  return missing('No credential of a client was found.', users ? [users] : [], 0.8)
}

/** The column with the passwords of staff. */
function passwordOf(facts: Facts, data: DataMap): string | undefined {
  const users = facts.tables.find(it => it.name === data.staff_users.table)
  const column = users?.columns.find(it => /passw|pwd|pass_crypted/i.test(it.name))
  return column && `${users!.name}.${column.name} (${column.at})`
}

function judgeAuthentication({ people }: Findings, login: Answer): Answer {
  const guards = [...new Set(people.inside.flatMap(it => it.route.guards.filter(isClientGuard)))]
  if (people.inside.length && login.status === 'implemented')
    return implemented(
      guards.length
        ? `Requests of clients are let in by ${guards.slice(0, 3).join(', ')}.`
        : 'Handlers take the client from the session.',
      shown(people.inside, 3),
    )
  if (people.inside.length && (people.identity || people.signIn.length))
    return partial('Some routes ask for a client; how one comes in was not found.', shown(people.inside, 3), 0.5)
  return login.status === 'partial'
    ? partial('There are credentials of clients; no guard asks for them.', login.evidence, 0.5)
    : missing('No route asks who the client is.')
}

function judgeTokens({ facts, surface, people, data }: Findings, login: Answer): Answer {
  const stored = documentTokens(facts.tables, data)
  const used = surface.filter(it => it.actor === 'holder' && !it.route.page && (it.documents.size || it.area))
  if (stored.length && used.length)
    return implemented('Tokens for clients are stored, and routes take them.', [
      ...stored.slice(0, 3),
      ...shown(used, 2),
    ])
  if (stored.length && login.status === 'implemented')
    return implemented(
      'Tokens for clients are stored and used at sign-in.',
      [...stored.slice(0, 3), ...shown(people.signIn, 1)],
      0.7,
    )
  if (used.length >= 2) return partial('Routes take a token; where it is stored was not found.', shown(used, 3), 0.5)
  return missing('Tokens are for staff only, if there are any.', [], 0.7)
}
