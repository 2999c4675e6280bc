import type { Response } from 'express'
import type { Knex } from 'knex'
import type { Activation } from '../crm/activation/activation.ts'
import { Problem, Unavailable } from '../http/errors.ts'
import { listener, type Message } from '../platform/events.ts'
import type { Flags } from '../platform/flags.ts'
import type { Log } from '../platform/log.ts'
import { accessOf, changedAccess } from './access.ts'
import { beat, kindOf, type Stream, type Subscriber, send, start, tell, tellSignal } from './stream.ts'

interface Parts {
  activation: Pick<Activation, 'isAccepted'>
  /** Without a pooler that shares connections by transaction. */
  database: Knex
  flags: Flags
  log: Log
}

/**
 * How many streams there may be of one session, of one person, and in one process. Sessions of staff are the CRM's: as
 * many as one browser may have, which opens six connections to a host at most (HTTP/1.1).
 */
const most = { session: 5, person: { client: 20, staff: 5 }, process: 5_000 }

/** Milliseconds: between looks at the flag, at what subscribers may see, and between signs of life. */
const pause = { flag: 500, access: 5_000, heartbeat: 20_000, idle: 30_000 }

/** 429: one browser has too many pages open that listen. */
class TooManyStreams extends Problem {
  status = 429
  code = 'too-many-streams'
  message = 'Too many pages are open.'
  advice = 'Close some of them. The others refresh when you reload them.'
}

/** All open streams of this process, and the one connection to the database that feeds them. */
export interface Hub {
  /**
   * Answers with a stream of the topics that have changed. `missed` is asked when it listens, and gives those that changed
   * just before. Throws Unavailable where nothing can be heard, and TooManyStreams.
   */
  open(res: Response, subscriber: Subscriber, missed: () => Promise<string[]>): Promise<void>
  /** Ends all streams and takes no more: browsers go on with another instance. */
  stop(): void
}

export function liveHub(parts: Parts): Hub {
  const { database, log } = parts
  const streams = new Set<Stream>()
  let stopping = false
  const ears = listener({
    ...{ database, log, heard: hearing(parts, streams) },
    returned() {
      for (const it of streams) send(it, it.topics)
      judge(parts, streams, streams)
    },
  })
  const timers = timersOf(parts, streams, ears.stop)

  const prepare = async (stream: Stream, missed: () => Promise<string[]>) => {
    if (!(await ears.listen())) throw new Unavailable()
    const { session } = stream
    if (session) stream.access = (await accessOf(database, [session])).get(session) ?? 'ended'
    const changed = await missed()
    if (changed.length) send(stream, changed)
  }

  return {
    async open(res, subscriber, missed) {
      if (stopping) throw new Unavailable()
      requireRoom(streams, subscriber)
      const stream: Stream = { ...subscriber, res, access: undefined, early: new Set() }
      streams.add(stream)
      res.once('close', () => streams.delete(stream))
      timers.begin()
      await prepare(stream, missed).catch(error => {
        streams.delete(stream)
        throw error
      })
      if (streams.has(stream)) start(stream)
      else res.end()
    },
    stop() {
      stopping = true
      timers.stop()
    },
  }
}

/** Throws Unavailable or TooManyStreams. */
function requireRoom(streams: Set<Stream>, subscriber: Subscriber) {
  if (streams.size >= most.process) throw new Unavailable()
  const { session, workspace, person } = subscriber
  const kind = kindOf(subscriber)
  let [ofSession, ofPerson] = [0, 0]
  for (const it of streams) {
    if (session && it.session === session) ofSession++
    if (it.workspace === workspace && it.person === person && kindOf(it) === kind) ofPerson++
  }
  if (ofSession >= most.session || ofPerson >= most.person[kind]) throw new TooManyStreams()
}

function end(streams: Set<Stream>, which: Iterable<Stream>) {
  for (const it of [...which]) {
    if (!streams.delete(it)) continue
    if (!it.early) it.res.end()
  }
}

/** Ends those whose subscribers may see more or less than before. */
async function judge(parts: Parts, streams: Set<Stream>, which: Iterable<Stream>): Promise<void> {
  await changedAccess(parts, which).then(
    changed => end(streams, changed),
    err => parts.log.warn({ err }, 'who may see open pages could not be looked at; tried again'),
  )
}

/** What becomes of a message. Several changes of access at once are looked at together. */
function hearing(parts: Parts, streams: Set<Stream>) {
  const changed = new Set<string>()

  const lookAtChanged = () => {
    const those = [...streams].filter(it => changed.has(it.workspace))
    changed.clear()
    // Staff who view as somebody have no session here: they are judged again when they come back. What staff see in the
    // settings is not decided here.
    end(
      streams,
      those.filter(it => it.session === undefined && kindOf(it) === 'client'),
    )
    judge(parts, streams, those)
  }

  return (message: Message) => {
    if (message.kind === 'changed') return tell(streams, message)
    if (message.kind === 'signal') return tellSignal(streams, message)
    if (message.kind === 'ended')
      return end(
        streams,
        [...streams].filter(it => it.session === message.session),
      )
    if (!changed.size) setTimeout(lookAtChanged, 50).unref()
    changed.add(message.workspace)
  }
}

/** What is looked at while there are streams. Nothing is asked of the database for workspaces that the flag is off for. */
function timersOf(parts: Parts, streams: Set<Stream>, stopListening: () => void) {
  const { activation, flags } = parts
  let timers: NodeJS.Timeout[] = []
  let usedAt = 0

  const stop = () => {
    for (const it of timers.splice(0)) clearInterval(it)
    end(streams, streams)
    stopListening()
  }

  const lookAtFlag = () => {
    const now = Date.now()
    if (streams.size) usedAt = now
    const slugs = [...new Set([...streams].map(it => it.slug))]
    const off = new Set(slugs.filter(it => !flags.enabled(it)))
    end(
      streams,
      [...streams].filter(it => off.has(it.slug) || it.until < now),
    )
    if (!flags.enabledAnywhere() || now - usedAt > pause.idle) stop()
  }

  const lookAtAccess = async () => {
    if (!streams.size || !flags.enabledAnywhere()) return
    if (await activation.isAccepted()) await judge(parts, streams, streams)
    else end(streams, streams)
  }

  return {
    begin() {
      usedAt = Date.now()
      if (timers.length) return
      timers = [
        setInterval(lookAtFlag, pause.flag),
        setInterval(() => lookAtAccess().catch(() => undefined), pause.access),
        setInterval(() => streams.forEach(beat), pause.heartbeat),
      ]
      for (const it of timers) it.unref()
    },
    stop,
  }
}
