import { expect } from 'chai'
import { writingMap as map } from '../../../demo/adapter/map.ts'
import { close, fresh } from '../../../test/database.ts'
import { serving } from '../../../test/serving.ts'
import { adapterOf, grantsOf, problemsOf } from '../../index.ts'
import { checkApi } from '../activation/reading/api.ts'
import type { CrmMap } from './map.ts'

type Change = CrmMap['contacts']['change']

const withChange = (change: Change): CrmMap => ({ ...map, contacts: { ...map.contacts, change } })
const workspace = { id: '1', slug: 'brightside', name: '', letterhead: [], timeZone: 'UTC' }
const of = { client: '1', contact: '7' }

describe('a change of a contact, by a map', () => {
  let copy: Awaited<ReturnType<typeof fresh>>
  before(async () => {
    copy = await fresh()
  })
  after(() => close(copy))

  it('by the CRM’s own API has what was changed and nothing else, and takes the fields that it names', async () => {
    const seen: { method: string | undefined; url: string | undefined; body: unknown; key: unknown }[] = []
    let status = 200
    const server = await serving(async ({ method, url, headers }, body) => {
      seen.push({ method, url, body, key: headers['idempotency-key'] })
      return status
    })
    const body = { phone: '{phone}', mail: '{email}', company: '{client}' }
    const call = { method: 'PATCH' as const, url: `${server.url}/contacts/{id}`, body }
    const { directory } = adapterOf(withChange({ call }), copy.database)
    const change = (it: object) => directory.changeContact!(workspace, { ...of, contact: 'a/b "7"' }, it)
    expect(await change({ phone: '+31 20 "555"', name: 'Nadia' })).to.deep.equal(['phone'])
    expect(await change({ name: 'Nadia' })).to.deep.equal([])
    expect(await change({ phone: '' })).to.deep.equal(['phone'])
    expect(seen.map(it => [it.method, it.url, it.body])).to.deep.equal([
      ['PATCH', '/contacts/a%2Fb%20%227%22', { phone: '+31 20 "555"', company: '1' }],
      ['PATCH', '/contacts/a%2Fb%20%227%22', { phone: '', company: '1' }],
    ])
    expect(seen[0]!.key)
      .to.match(/^[0-9a-f-]{36}$/)
      .and.not.equal(seen[1]!.key)
    for (status of [409, 500]) expect(await change({ phone: '1' }).catch(error => error)).to.be.instanceOf(Error)
    await server.close()
  })

  it('by an API whose address is not set is a problem that the doctor names', async () => {
    const call = { url: '{env NO_SUCH_ADDRESS}/contacts/{id}', body: { phone: '{phone}' } }
    expect((await checkApi(withChange({ call }))).problems).to.deep.equal([
      'contacts.change: {env NO_SUCH_ADDRESS} is not set: set it here, and where the portal runs',
    ])
  })

  it('by a function has of whom, and gives what it wrote', async () => {
    const asked: unknown[] = []
    const { directory, writes } = adapterOf(
      withChange({
        run: async (...all) => {
          asked.push(all)
          return ['name']
        },
      }),
      copy.database,
    )
    expect(await directory.changeContact!(workspace, of, { name: 'Nadia', phone: '' })).to.deep.equal(['name'])
    expect(asked).to.deep.equal([[of, { name: 'Nadia', phone: '' }]])
    expect(writes?.directory).to.equal(undefined)
  })

  it('sets columns that are granted, and of another client’s contact none', async () => {
    const crm = adapterOf(map, copy.database)
    expect(grantsOf(crm, 'portal_app')).to.include(
      'grant update ("email", "phone") on "public"."contacts" to "portal_app";',
    )
    const row = await copy.owner('contacts').where({ id: 1 }).first()
    const theirs = { client: String(row.client_id + 1), contact: '1' }
    expect(await crm.directory.changeContact!(workspace, theirs, { phone: '1' })).to.deep.equal([])
    const mine = { client: String(row.client_id), contact: '1' }
    const other = { ...workspace, id: '2' }
    expect(await crm.directory.changeContact!(other, mine, { phone: '1' })).to.deep.equal([])
    expect(await copy.owner('contacts').where({ id: 1 }).first()).to.deep.equal(row)
  })

  it('is left out where the map says nothing, and a wrong one is said', async () => {
    const { change: _, ...contacts } = map.contacts
    expect(adapterOf({ ...map, contacts }, copy.database).directory.changeContact).to.equal(undefined)
    const problems = async (it: unknown) =>
      (await problemsOf({ ...map, contacts: it } as CrmMap, copy.database)).map(({ sentence }) => sentence)
    const [unknown] = await problems({ ...contacts, change: { set: { phone: 'phones' } } })
    expect(unknown).to.include('contacts.phones: no such column').and.include('phone')
    expect((await problems({ ...contacts, change: { set: { colour: 'x' } } }))[0]).to.include('contacts.change')
    const { table: __, ...rest } = contacts
    const query = {
      ...rest,
      query: 'select * from contacts',
      reads: { contacts: ['id'] },
      change: { set: { phone: 'phone' } },
    }
    expect(await problems(query)).to.include('contacts.change: columns can be set of a table only')
  })
})
