import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A CRM's API of JSON, as a test has it answer; 0 is a connection that breaks. */
export async function serving(answer: (request: IncomingMessage, body: any) => Promise<number>) {
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request)
    const status = await answer(request, JSON.parse(Buffer.concat(chunks).toString() || '{}'))
    if (!status) return request.destroy()
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise(resolve => server.close(resolve)),
  }
}
