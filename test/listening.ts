import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { Knex } from 'knex'
import { tellSignal } from '../src/platform/events.ts'
import { until } from './until.ts'

const servers: Server[] = []

/** An instance that listens, as a stream of the portal needs it: the address that it is at. */
export async function listening(app: Express): Promise<string> {
  const server = createServer(app).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const closeServers = () => {
  for (const it of servers.splice(0)) {
    it.closeAllConnections()
    it.close()
  }
}

/** An open page, as far as it listens: what it was told, in order, and whether the stream has ended. */
export async function hear(address: string, cookie: string) {
  const cut = new AbortController()
  const answer = await fetch(address, {
    headers: { cookie, accept: 'text/event-stream' },
    redirect: 'manual',
    signal: cut.signal,
  })
  const ear = {
    status: answer.status,
    headers: answer.headers,
    heard: [] as string[],
    /** Who was typing where. */
    signals: [] as Signal[],
    /** Ends of what was told, which `caughtUp` tells. */
    marks: [] as string[],
    ended: answer.status !== 200,
    close: () => cut.abort(),
    /** Resolves when it was told so often. */
    told: (times: number) => until(() => ear.heard.length >= times && ear.heard),
  }
  if (answer.status === 200)
    listen(answer, ear).finally(() => {
      ear.ended = true
    })
  return ear
}

export type Ear = Awaited<ReturnType<typeof hear>>

interface Signal {
  of: string
  name: string
}

const mark = 'everything until here '

/**
 * Waits until these ears have all that they are told of what happened before. They listen to a section, or to the record
 * of this id: everybody who does is told one thing more, and what is told arrives in order.
 */
export async function caughtUp(owner: Knex, ears: Ear[], { section = 'documents', id = '-' } = {}) {
  const name = mark + randomUUID().slice(0, 8)
  const by = { kind: 'staff', id: 'nobody', name } as const
  const clients = await owner('portal.client_memberships').distinct('workspace_id as workspace', 'client_id as client')
  for (const client of clients) await tellSignal(owner, { ...client, section, id, by })
  await until(() => ears.every(it => it.ended || it.marks.includes(name)))
  if (ears.some(it => it.ended)) throw new Error('One of these streams has ended.')
}

async function listen(answer: Response, { heard, signals, marks }: Pick<Ear, 'heard' | 'signals' | 'marks'>) {
  const decoder = new TextDecoder()
  try {
    for await (const bytes of answer.body!)
      for (const [, event, data] of decoder.decode(bytes).matchAll(/^(?:event: (.*)\n)?data: (.*)$/gm))
        if (event !== 'typing') heard.push(data!)
        else note(JSON.parse(data!), { signals, marks })
  } catch {
    // Closed by us, or cut.
  }
}

function note(signal: Signal, { signals, marks }: Pick<Ear, 'signals' | 'marks'>) {
  if (signal.name.startsWith(mark)) marks.push(signal.name)
  else signals.push(signal)
}
