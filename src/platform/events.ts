import type { Knex } from 'knex'
import { query } from './database.ts'
import type { Log } from './log.ts'

/** What instances tell each other, when the transaction of the change commits: ids, and nothing of what they stand for. */
export type Message =
  /** Something of a section has changed for a client; `to` staff, if the client does not see it. */
  | { kind: 'changed'; workspace: string; client: string; section: string; id: string | null; to?: 'staff' }
  | Signal
  /** Who may see what has changed in a workspace. */
  | { kind: 'access'; workspace: string }
  /** A session has ended; its id is as it is stored. */
  | { kind: 'ended'; session: string }

/** Somebody is doing something at a record that is kept nowhere, such as typing. */
export interface Signal {
  kind: 'signal'
  workspace: string
  client: string
  section: string
  id: string
  by: Sender
}

interface Sender {
  kind: 'client' | 'staff'
  /** Of the client's person, or of the member of staff. */
  id: string
  name: string
}

const channel = 'portal_live'

interface Change {
  workspace: string
  client: string
  section: string
  id?: string
  /** If the client's pages are not told. */
  to?: 'staff'
}

/** Tells of a change that leaves no entry in the activity log, within its transaction. */
export const tellChange = (tx: Knex, { workspace, client, section, id, to }: Change): Promise<void> =>
  notify(tx, [to === 'staff' ? 'changed-for-staff' : 'changed', workspace, client, section, id ?? null])

/** In characters, of whoever sends a signal. */
const longestName = 60

/**
 * Tells open pages of a record that somebody is typing there. It is kept nowhere: who does not listen never hears of it.
 * All of the client's people who listen to the section hear it, and staff.
 */
export const tellSignal = (
  database: Knex,
  { workspace, client, section, id, by }: Omit<Signal, 'kind'>,
): Promise<void> => {
  const name = [...by.name].slice(0, longestName).join('')
  return notify(database, ['signal', workspace, client, section, id, by.kind, by.id, name])
}

/** Tells nobody of what is too long, which no page could ask for. */
async function notify(database: Knex, parts: unknown[]): Promise<void> {
  const message = JSON.stringify(parts)
  if (Buffer.byteLength(message) > longest) return
  await query(database, { name: 'portal.tell', text: `select pg_notify('${channel}', $1)`, values: [message] })
}

/** In bytes; PostgreSQL takes less than 8,000. */
const longest = 7_900

/**
 * SQL over an inserted activity entry `l`, beside others that it returns: tells of it if its event is among `events`, a
 * parameter. An entry of no client is told to nobody.
 */
export const tellEntry = (events: string) => `
  case when l.event = any (${events}::text[]) and l.client_id is not null and octet_length(${ofEntry}) <= ${longest}
    then pg_notify('${channel}', ${ofEntry})::text end`

const ofEntry = `jsonb_build_array('changed', l.workspace_id, l.client_id, split_part(l.event, '.', 1), l.subject_id)::text`

/** Events whose entries are told: changes of the sections that are live, in every portal of this process. */
const told = new Set<string>()
export const toldEvents = () => [...told]
export const tellOf = (events: string[]) => {
  for (const it of events) told.add(it)
}

export interface Listener {
  /** Begins to listen. Resolves to whether it does: not through a pooler, and not without a database. */
  listen(): Promise<boolean>
  /** Lets go of the connection, without a statement. */
  stop(): void
}

interface Parts {
  /** Without a pooler that shares connections by transaction. */
  database: Knex
  log: Log
  heard(message: Message): void
  /** It listens again, and may have missed something. */
  returned(): void
}

/** Milliseconds: between looks whether the connection still answers, until one counts as lost, until the next try. */
const pause = { look: 15_000, answer: 5_000, first: 250, most: 5_000 }

/** Hears what is told, by one connection of its own, which is made again after it was lost. */
export function listener({ database, log, heard, returned }: Parts): Listener {
  let wanted = false
  let pooled = false
  let connection: Connection | undefined
  let connecting: Promise<boolean> | undefined
  let timer: NodeJS.Timeout | undefined
  let wait = pause.first

  const drop = () => {
    clearTimeout(timer)
    const it = connection
    connection = undefined
    it?.removeAllListeners('notification')
    it?.end().catch(() => undefined)
  }

  const lost = () => {
    drop()
    if (!wanted) return
    timer = setTimeout(() => connect().then(again => again && returned()), wait * (0.5 + Math.random())).unref()
    wait = Math.min(wait * 2, pause.most)
  }

  const look = () => {
    timer = setTimeout(async () => {
      const it = connection
      if (!it) return
      const answers = await within(it.query('select 1'), pause.answer)
      if (it !== connection) return
      if (answers) look()
      else lost()
    }, pause.look).unref()
  }

  const connect = () => {
    connecting ??= open(database, heard)
      .then(it => {
        if (it === 'pooled') {
          pooled = true
          log.warn(
            {},
            'pages do not refresh by themselves: the database is behind a pooler, and no direct one is given',
          )
          return false
        }
        if (!wanted) return it.end().then(() => false)
        connection = it
        it.once('end', () => it === connection && lost())
        wait = pause.first
        look()
        return true
      })
      .catch(err => {
        log.warn({ err }, 'changes of other instances cannot be heard; tried again')
        lost()
        return false
      })
      .finally(() => {
        connecting = undefined
      })
    return connecting
  }

  return {
    async listen() {
      if (pooled) return false
      wanted = true
      return connection !== undefined || connect()
    },
    stop() {
      wanted = false
      drop()
    },
  }
}

/** A client of pg. */
interface Connection {
  processID: number
  query(text: string): Promise<{ rows: any[] }>
  end(): Promise<void>
  on(event: string, listener: (it: any) => void): void
  once(event: string, listener: () => void): void
  removeAllListeners(event: string): void
}

async function open(database: Knex, heard: (message: Message) => void): Promise<Connection | 'pooled'> {
  const connection: Connection = await database.client.acquireRawConnection()
  // What follows an error is the end, or the next look.
  connection.on('error', () => undefined)
  connection.on('notification', ({ payload }) => {
    const message = parsed(payload)
    if (message) heard(message)
  })
  const { rows } = await connection.query('select pg_backend_pid() as process')
  if (rows[0].process !== connection.processID) {
    await connection.end()
    return 'pooled'
  }
  await connection.query(`listen ${channel}`)
  return connection
}

/** Anybody with a role in this database may tell something: what is not ours is left alone. */
function parsed(payload: string): Message | undefined {
  try {
    const [kind, one, client, section, id, ...by] = JSON.parse(payload)
    if (typeof one !== 'string') return undefined
    if (kind === 'access') return { kind, workspace: one }
    if (kind === 'ended') return { kind, session: one }
    if (typeof client !== 'string' || typeof section !== 'string') return undefined
    if (kind === 'signal') return signalOf({ workspace: one, client, section, id }, by)
    const change = { workspace: one, client, section, id: typeof id === 'string' ? id : null }
    if (kind === 'changed') return { kind, ...change }
    return kind === 'changed-for-staff' ? { kind: 'changed', ...change, to: 'staff' } : undefined
  } catch {
    return undefined
  }
}

const texts = (all: unknown[]): all is string[] => all.every(it => typeof it === 'string')

function signalOf(where: Pick<Signal, 'workspace' | 'client' | 'section' | 'id'>, by: unknown[]): Signal | undefined {
  if (!texts([where.id, ...by])) return undefined
  const [kind, id, name] = by as string[]
  if ((kind !== 'client' && kind !== 'staff') || id === undefined || name === undefined) return undefined
  return { kind: 'signal', ...where, by: { kind, id, name } }
}

const within = (asked: Promise<unknown>, milliseconds: number): Promise<boolean> =>
  new Promise(resolve => {
    setTimeout(() => resolve(false), milliseconds).unref()
    asked.then(
      () => resolve(true),
      () => resolve(false),
    )
  })
