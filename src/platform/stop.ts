import type { Server, ServerResponse } from 'node:http'
import { type Socket, Server as TcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

interface Stopping {
  /** Those that listen for the portal's requests. */
  servers: Server[]
  portal: { retire(): void; close(): Promise<void> }
  /** Seconds for a proxy to notice that this instance is not ready any more; 3 if not given. */
  notice?: number
  /** Seconds for requests to end before they are cut; 30 if not given. */
  limit?: number
}

/**
 * Stops an instance without cutting anybody off, as on SIGTERM: it is not ready any more, waits a moment for the proxy,
 * lets requests end, and then lets go of PDF processes and the job queue. What remains is the caller's: database pools,
 * and the end of the process.
 */
export async function stopGracefully({ servers, portal, notice = 3, limit = 30 }: Stopping): Promise<void> {
  portal.retire()
  servers.forEach(watched)
  await sleep(notice * 1_000)
  const cut = new AbortController()
  const drained = Promise.all(servers.filter(it => it.listening).map(drain))
  const late = sleep(limit * 1_000, 'late', { signal: cut.signal }).catch(() => undefined)
  if ((await Promise.race([drained, late])) === 'late') for (const it of servers) it.closeAllConnections()
  cut.abort()
  await portal.close()
}

/**
 * Resolves when the last request has been answered. A proxy may send one more on each kept connection: that response
 * closes the connection. Idle connections are closed after a second, and unused ones at once.
 */
async function drain(server: Server): Promise<void> {
  const { sockets, answers } = watched(server)
  await connectionsAccepted()
  // As a server of TCP does it: that of HTTP would close idle connections at once, under a request that is on its way.
  const closed = new Promise<void>(resolve => TcpServer.prototype.close.call(server, () => resolve()))
  const endWith = (res: ServerResponse) => void (res.headersSent || res.setHeader('Connection', 'close'))
  for (const it of answers) endWith(it)
  server.prependListener('request', (_req, res) => endWith(res))
  await Promise.race([closed, sleep(1_000)])
  const closing = setInterval(() => server.closeIdleConnections(), 50)
  server.closeIdleConnections()
  for (const it of sockets) if (it.bytesRead === 0) it.destroy()
  await closed
  clearInterval(closing)
}

/**
 * Resolves right after a turn of the event loop in which little happened, or after a second: connections that were made
 * before it are taken, and not refused when listening ends.
 */
async function connectionsAccepted() {
  const end = performance.now() + 1_000
  let began: number
  do {
    began = performance.now()
    await new Promise(resolve => setImmediate(resolve))
  } while (performance.now() - began > 2 && performance.now() < end)
}

/**
 * Sets timeouts for a server behind a proxy: connections are kept longer than usual proxies keep them (60 seconds), so
 * none is closed under a request, and slow senders are cut off. Times in milliseconds.
 */
export function limitConnections(server: Server): Server {
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 20_000
  server.requestTimeout = 60_000
  watched(server)
  return server
}

interface Open {
  /** Node.js takes one that is new for one by which a request is on its way. */
  sockets: Set<Socket>
  answers: Set<ServerResponse>
}

const all = new WeakMap<Server, Open>()

/** What is open of this server: all of it that began since this was first asked. */
function watched(server: Server): Open {
  const known = all.get(server)
  if (known) return known
  const its: Open = { sockets: new Set(), answers: new Set() }
  all.set(server, its)
  server.on('connection', socket => {
    its.sockets.add(socket)
    socket.once('close', () => its.sockets.delete(socket))
  })
  server.prependListener('request', (_req, res) => {
    its.answers.add(res)
    res.once('close', () => its.answers.delete(res))
  })
  return its
}
