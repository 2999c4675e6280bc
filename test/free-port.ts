import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Below the ports that a system gives to outgoing connections: none of those takes it while a server restarts. */
const [first, last] = [20_000, 32_767]
const given = new Set<number>()

/** A port of this machine that nobody listens on, another one each time. */
export async function freePort(): Promise<string> {
  for (;;) {
    const port = first + Math.floor(Math.random() * (last - first))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return String(port)
  }
}

async function isFree(port: number) {
  const server = createServer().listen(port, '127.0.0.1')
  return Promise.race([
    once(server, 'listening').then(async () => {
      server.close()
      await once(server, 'close')
      return true
    }),
    once(server, 'error').then(() => false),
  ]).catch(() => false)
}

/** Whether somebody listens on it. */
export const listens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
    socket.unref()
  })
