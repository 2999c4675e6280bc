import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { expect } from 'chai'
import knex from 'knex'
import { urlOf } from '../../test/database.ts'
import { query, unreachable } from './database.ts'

/** Passes on what PostgreSQL sends, until a row has this word in it: it ends there, with an error in place of its rest. */
async function tearing(word: string): Promise<Server> {
  const { hostname, port } = new URL(urlOf('postgres'))
  const server = createServer(client => {
    const postgres = connect(Number(port), hostname)
    client.pipe(postgres)
    postgres.on('data', (bytes: Buffer) => {
      const at = bytes.indexOf(word)
      if (at < 0) return client.write(bytes)
      client.end(
        Buffer.concat([bytes.subarray(0, at), Buffer.from('E\0\0\0\x40SFATAL\0C08P01\0Mserver conn crashed?\0\0')]),
      )
      postgres.destroy()
    })
    for (const it of [client, postgres]) it.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

describe('a statement', () => {
  it('whose row ends in its middle, since the server behind a pooler crashed, found the database away', async () => {
    const server = await tearing('TORN')
    const { port } = server.address() as { port: number }
    const url = Object.assign(new URL(urlOf('postgres')), { hostname: '127.0.0.1', port: String(port) })
    const database = knex({ client: 'pg', connection: url.href, pool: { min: 0, max: 1 } })
    const statement = { text: `select json_build_object('text', 'TO' || 'RN') as it` }

    const error = await query(database, statement).catch(it => it)
    expect(error).to.be.an('error').with.property('cause').that.is.an.instanceof(SyntaxError)
    expect(unreachable(error)).to.equal(true)
    await database.destroy()
    server.close()
  })
})
