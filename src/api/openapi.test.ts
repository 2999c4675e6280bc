import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect } from 'chai'
import { OpenAPIClientAxios } from 'openapi-client-axios'
import { type Route, routesOf } from '../../test/routes.ts'
import { leave, open, whoIs } from '../../test/visit.ts'

describe('openapi.json', () => {
  afterEach(leave)

  it('is OpenAPI 3.1, and describes every route of the API with the permission that it needs', async () => {
    const { visit, portal } = await open({ mail: 'kept' })
    const { body } = await (await visit()).api('/openapi.json')
    const validator = new Validator()
    expect(body.servers).to.deep.equal([{ url: '/portal/brightside/api/v1' }])
    const { valid, errors } = await validator.validate(structuredClone(body))
    expect(errors, JSON.stringify(errors)).to.equal(undefined)
    expect([valid, validator.version]).to.deep.equal([true, '3.1'])

    const all = routesOf(portal.clients).filter(it => it.path.startsWith('/:workspace/api/v1/'))
    const mounted = [...new Map(all.map(it => [`${it.method} ${it.path}`, it])).values()]
    const described = ({ method, path }: Route) =>
      body.paths[path.replace('/:workspace/api/v1', '').replaceAll(/:(\w+)/g, '{$1}')]?.[method]
    for (const route of mounted.filter(it => !it.path.endsWith('openapi.json'))) {
      const operation = described(route)
      expect(operation, `${route.method} ${route.path}`).to.be.an('object')
      if (/\./.test(route.rule ?? '')) expect(operation.security).to.deep.equal([{ token: [route.rule] }])
    }
    const count = Object.values<object>(body.paths).flatMap(it => Object.keys(it)).length
    expect(count).to.equal(mounted.length - 1)
    const ids = Object.values<any>(body.paths).flatMap(it => Object.values<any>(it).map(one => one.operationId))
    expect(new Set(ids).size).to.equal(ids.length)
  })

  it('makes a client that signs in, lists, reads one, takes its PDF, and is told what went wrong', async () => {
    const { app } = await open()
    const server = createServer(app)
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/portal/brightside/api/v1`
    try {
      const definition = (await (await fetch(`${base}/openapi.json`)).json()) as object
      const api = new OpenAPIClientAxios({
        definition: { ...definition, servers: [{ url: base }] } as never,
        axiosConfigDefaults: { validateStatus: () => true },
      })
      const client = (await api.init()) as any
      const { email, password } = whoIs('owner')
      const { data: tokens } = await client.getTokens(null, { grant: 'password', email, password })
      client.defaults.headers.Authorization = `Bearer ${tokens.access_token}`

      const { data: list } = await client.invoicesList({ status: 'open', sort: 'newest', size: 2 })
      expect(list.items).to.have.length(2)
      const { data: more } = await client.invoicesList({ status: 'open', sort: 'newest', size: 2, after: list.next })
      expect(more.items[0].id).to.not.equal(list.items[0].id)
      const { data: one } = await client.invoicesShow({ id: list.items[0].id })
      expect(one.invoice.number).to.equal(list.items[0].number)
      const pdf = await client.invoicesPdf({ id: list.items[0].id }, null, { responseType: 'arraybuffer' })
      expect(Buffer.from(pdf.data).toString('latin1', 0, 5)).to.equal('%PDF-')
      const csv = await client.paymentsListCsv({ year: 2026 })
      expect(csv.headers['content-type']).to.match(/^text\/csv/)
      const nothing = await client.invoicesShow({ id: 'nonsense' })
      expect([nothing.status, nothing.data.code]).to.deep.equal([404, 'not-found'])
      expect((await client.endTokens()).status).to.equal(204)
      expect((await client.getMe()).status).to.equal(401)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
