import type { Server } from 'node:http'
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
  servers.forEach(endConnections)
  await sleep(notice * 1_000)
  const cut = new AbortController()
  const drained = Promise.all(servers.filter(it => it.listening).map(drain))
  const late = sleep(limit * 1_000, 'late', { signal: cut.signal }).catch(() => undefined)
  if ((await Promise.race([drained, late])) === 'late') for (const it of servers) it.closeAllConnections()
  cut.abort()
  await portal.close()
}

/** Each connection ends with its next answer, so that a proxy keeps none on which it could send a request too late. */
const endConnections = (server: Server) =>
  server.prependListener('request', (_req, res) => res.setHeader('Connection', 'close'))

/** Resolves when the last request has been answered. A connection that is kept alive is closed once it is idle. */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  const closing = setInterval(() => server.closeIdleConnections(), 50)
  server.closeIdleConnections()
  await closed
  clearInterval(closing)
}

/**
 * Limits of a server behind a proxy: connections are kept longer than any usual proxy keeps them (60 seconds), so that
 * none is closed under a request, and nobody holds one open by sending slowly. Times in milliseconds.
 */
export function limitConnections(server: Server): Server {
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 20_000
  server.requestTimeout = 60_000
  return server
}
