import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Another server, as a test has it answer: a status, or bytes; 0 is a connection that breaks. */
export async function serving(
  answer: (request: IncomingMessage, body: any, bytes: Buffer) => Promise<number | Buffer>,
) {
  const server = createServer(async (request, response) => {
    const bytes = Buffer.concat(await Array.fromAsync(request))
    const json = request.headers['content-type'] === 'application/json' ? JSON.parse(bytes.toString() || '{}') : {}
    const given = await answer(request, json, bytes)
    if (Buffer.isBuffer(given)) return response.end(given)
    if (!given) return request.socket.destroy()
    response.writeHead(given).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise(resolve => server.close(resolve)),
  }
}
