import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
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
    signals: [] as { of: string; name: string }[],
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

async function listen(answer: Response, { heard, signals }: { heard: string[]; signals: object[] }) {
  const decoder = new TextDecoder()
  try {
    for await (const bytes of answer.body!)
      for (const [, event, data] of decoder.decode(bytes).matchAll(/^(?:event: (.*)\n)?data: (.*)$/gm))
        if (event === 'typing') signals.push(JSON.parse(data!))
        else heard.push(data!)
  } catch {
    // Closed by us, or cut.
  }
}
