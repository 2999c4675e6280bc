import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type Bank, createBank } from './bank.ts'

type Options = Partial<Parameters<typeof createBank>[0]>

export interface ListeningBank extends Bank {
  key: string
  port: number
  /** http://127.0.0.1:port */
  address: string
  /** For `new Stripe(key, connection)`. */
  connection: { host: string; port: number; protocol: 'http' }
  /** Refuses connections until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a bank with a server of its own, on a free port. */
export async function listen(options: Options = {}): Promise<ListeningBank> {
  const host = '127.0.0.1'
  const app = express().disable('x-powered-by')
  let server = await serve(app, 0, host)
  const { port } = server.address() as AddressInfo
  const address = `http://${host}:${port}`
  const key = options.key ?? 'sk_test_demo_bank'
  const bank = createBank({ retries: [10, 20, 40], ...options, key, address: options.address ?? address })
  app.use(bank.api)
  app.use('/-/bank', bank.pages)
  const stop = () => end(server)
  return {
    ...bank,
    key,
    port,
    address,
    connection: { host, port, protocol: 'http' },
    stop,
    async start() {
      server = await serve(app, port, host)
    },
    async close() {
      await stop()
      await bank.close()
    },
  }
}

async function serve(app: express.Express, port: number, host: string): Promise<Server> {
  const server = createServer(app).listen(port, host)
  await once(server, 'listening')
  return server
}

async function end(server: Server): Promise<void> {
  if (!server.listening) return
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
