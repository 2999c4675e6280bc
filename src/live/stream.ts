import type { Response } from 'express'
import type { Message, Signal } from '../platform/events.ts'

/** Who listens, and to what. */
export interface Subscriber {
  slug: string
  workspace: string
  /** Undefined for staff in the settings: they hear of all clients. */
  client: string | undefined
  /** Of the client's person, or of the member of staff. */
  person: string
  /** The stored id of their session; undefined for staff, in the settings or viewing the portal as this person. */
  session: string | undefined
  /** `requests` or `requests/<id>`. */
  topics: string[]
  /** When it ends at the latest, in milliseconds since 1970. */
  until: number
}

export interface Stream extends Subscriber {
  res: Response
  /** A digest of what the subscriber may see, as it was at the beginning. */
  access: string | undefined
  /** Topics that were told of before the answer began. */
  early: Set<string> | undefined
}

type Change = Extract<Message, { kind: 'changed' }>

export const tell = (streams: Iterable<Stream>, change: Change) => {
  for (const it of streams) if (hears(it, change)) send(it, topicsIn(it, change))
}

const topicsIn = ({ topics }: Stream, { section, id }: Pick<Change, 'section' | 'id'>) =>
  topics.filter(it => it === section || it === `${section}/${id}`)

/** Tells of a signal, except to whoever sent it. It is not kept for a stream that has not begun. */
export function tellSignal(streams: Iterable<Stream>, signal: Signal) {
  const { section, id, by } = signal
  const data = JSON.stringify({ of: `${section}/${id}`, name: by.name })
  for (const it of streams) {
    const isTheirs = by.id === it.person && by.kind === kindOf(it)
    const begun = it.early === undefined
    if (begun && !isTheirs && isAmong(it, signal) && topicsIn(it, signal).length)
      write(it.res, `event: typing\ndata: ${data}\n\n`)
  }
}

const hears = (stream: Stream, change: Change) =>
  isAmong(stream, change) && (change.to !== 'staff' || kindOf(stream) === 'staff')

/** Whether this happened at the subscriber's client, or for staff, in their workspace. */
const isAmong = ({ workspace, client }: Subscriber, it: { workspace: string; client: string }) =>
  workspace === it.workspace && (client === undefined || client === it.client)

export const kindOf = ({ client }: Subscriber): 'client' | 'staff' => (client === undefined ? 'staff' : 'client')

/** Begins the answer. Reconnecting is spread, so that a new instance is not met by all at once. */
export function start(stream: Stream) {
  const { res } = stream
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    // No proxy, and no middleware of the host, may hold it back to compress it.
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  })
  res.flushHeaders()
  res.write(`retry: ${Math.round(2_000 + Math.random() * 3_000)}\n\n`)
  const early = [...(stream.early ?? [])]
  stream.early = undefined
  send(stream, early)
}

export function send(stream: Stream, topics: string[]) {
  if (stream.early) for (const it of topics) stream.early.add(it)
  else write(stream.res, topics.map(it => `data: ${it}\n\n`).join(''))
}

export const beat = ({ res, early }: Stream) => early || write(res, ':\n\n')

/** Who does not read any more is let go. */
function write(res: Response, text: string) {
  if (!text) return
  if (res.writableLength > 65_536) res.destroy()
  else res.write(text)
}
