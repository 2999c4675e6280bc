import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { map } from '../../demo/adapter/map.ts'
import { close, fresh } from '../../test/database.ts'
import { checkPages } from './activation/checks.ts'
import { adapterOf } from './mapping/adapter.ts'
import { shapeProblems } from './mapping/shape.ts'
import { addressInCrm, type CrmPages, pageInCrm } from './pages.ts'

const workspace = { id: '1', slug: 'acme' }
const of = (pages: CrmPages | undefined, id = '7', kind = 'proposals') => pageInCrm({ pages }, { kind, id, workspace })
const settings = 'https://crm.example/settings/client-portal'

describe('where records live in the CRM', () => {
  after(() => {
    delete process.env.TEST_CRM_URL
  })

  it('is a path of its host, or an address with https', () => {
    expect(of({ proposals: '/proposals/{id}' })).to.equal('/proposals/7')
    expect(of({ base: 'https://crm.example/app/', proposals: '/p?w={workspace}&id={id}#top' })).to.equal(
      'https://crm.example/app/p?w=acme&id=7#top',
    )
    expect(of(({ kind, id }) => `https://crm.example/${kind}/${id}`)).to.equal('https://crm.example/proposals/7')
    expect(of({ base: 'http://localhost:8080', proposals: '/{id}' })).to.equal('http://localhost:8080/7')
    const record = { kind: 'proposals', id: '7', workspace }
    expect(addressInCrm({ pages: { proposals: '/p/{id}' } }, record, settings)).to.equal('https://crm.example/p/7')
    expect(addressInCrm({}, record, settings)).to.equal(undefined)
  })

  it('takes the base from the environment, and is nothing without it', () => {
    const pages = { base: '{env TEST_CRM_URL}', proposals: '/p/{id}' }
    expect(of(pages)).to.equal(undefined)
    process.env.TEST_CRM_URL = 'https://crm.example/'
    expect(of(pages)).to.equal('https://crm.example/p/7')
    process.env.TEST_CRM_URL = 'javascript:alert(1)//'
    expect(of(pages)).to.equal(undefined)
    delete process.env.TEST_CRM_URL
  })

  it('is nothing for any other scheme, a password, another host in a path, or a function that throws', () => {
    for (const given of [
      ...[
        'javascript:alert(1)',
        'JAVASCRIPT:alert(1)',
        ' javascript:alert(1)',
        'java\nscript:alert(1)',
        'data:text/html,x',
      ],
      ...['http://crm.example/1', 'ftp://crm.example', '//evil.example', '/\\evil.example', '/\t/evil.example', ''],
      ...['https://who:secret@crm.example/', 'crm.example/1', 'https://'],
    ])
      expect(
        of(() => given),
        given,
      ).to.equal(undefined)
    const thrown: CrmPages = () => {
      throw new Error('nonsense')
    }
    expect(of(thrown)).to.equal(undefined)
    expect(of((() => 42) as never)).to.equal(undefined)
    expect(of(undefined)).to.equal(undefined)
    expect(of({ invoices: '/i/{id}' })).to.equal(undefined)
    expect(of({ proposals: '/p/{id}' }, '7', 'constructor')).to.equal(undefined)
    expect(of({ base: 'https://crm.example' }, '7', 'base')).to.equal(undefined)
  })

  it('keeps an id in its place, whatever it holds', () => {
    const pages = { base: 'https://crm.example', proposals: '/p/{id}' }
    expect(of(pages, '../../admin?x=1#y')).to.equal('https://crm.example/p/..%2F..%2Fadmin%3Fx%3D1%23y')
    expect(of(pages, '{env HOME}')).to.equal('https://crm.example/p/%7Benv%20HOME%7D')
    for (const id of ['.', '..']) expect(of(pages, id), id).to.equal(undefined)
  })

  it('is refused in a map or an adapter that names anything else', () => {
    const wrong = (pattern: string) => shapeProblems({ ...map, pages: { proposals: pattern } })
    for (const pattern of ['/p/{id}', 'https://crm.example/{workspace}/{id}', '{env CRM}/p/{id}'])
      expect(wrong(pattern), pattern).to.deep.equal([])
    for (const pattern of [
      'javascript:{id}',
      '//evil.example/{id}',
      'http://crm.example/{id}',
      '/p/{number}',
      'p/{id}',
    ])
      expect(wrong(pattern)[0], pattern).to.match(/^pages\.proposals: must be a path, or an address with https/)
  })

  it('is noted by doctor where the environment is not set', () => {
    const pages = { base: '{env TEST_CRM_URL}', proposals: '/p/{id}' }
    expect(checkPages({ pages }).notes).to.deep.equal([
      'pages: {env TEST_CRM_URL} is not set: staff get no links to the CRM’s own pages',
    ])
    expect(checkPages({ pages }).problems).to.deep.equal([])
    expect(checkPages({})).to.deep.equal({ label: 'no pages of the CRM are named', problems: [] })
  })
})

describe('who looks after a record', () => {
  for (const [how, make] of [
    ['by hand', adapter],
    ['by a map', (database: Parameters<typeof adapter>[0]) => adapterOf(map, database)],
  ] as const)
    it(`is the owner of the document, or else the client’s account manager, ${how}`, async () => {
      const copy = await fresh()
      const { owner } = make(copy.database).directory
      const its = { id: '1', slug: 'brightside', name: 'x', letterhead: [], timeZone: 'UTC' }
      const [proposal, quotation] = await Promise.all(
        ['proposals', 'quotations'].map(it => copy.owner(it).where({ workspace_id: 1 }).orderBy('id').first()),
      )
      const of = (section: string, { id, client_id }: { id: number; client_id: number }, workspace = its) =>
        owner!(workspace, { section, id: String(id), client: String(client_id) })
      const named = async (id: number | null) => {
        const row = await copy.owner('staff').where({ id }).first()
        return row && { name: row.full_name, email: row.email }
      }
      expect(await of('proposals', proposal)).to.deep.equal(await named(proposal.owner_id))
      const client = await copy.owner('clients').where({ id: proposal.client_id }).first()
      await copy.owner('proposals').where({ id: proposal.id }).update({ owner_id: null })
      expect(await of('proposals', proposal)).to.deep.equal(await named(client.account_manager))
      if (quotation)
        expect(await of('quotations', quotation)).to.deep.equal(
          await named(
            quotation.prepared_by ??
              (await copy.owner('clients').where({ id: quotation.client_id }).first()).account_manager,
          ),
        )
      expect(await of('invoices', proposal)).to.deep.equal(await named(client.account_manager))
      // Of another workspace, of nothing, and of ids that are none.
      expect(await of('proposals', proposal, { ...its, id: '2' })).to.equal(undefined)
      for (const id of ['nonsense', '', '-1', '99999999999'])
        expect(await owner!(its, { section: 'proposals', id, client: id }), id).to.equal(undefined)
      await copy.owner('clients').where({ id: client.id }).update({ account_manager: null })
      expect(await of('proposals', proposal)).to.equal(undefined)
      await close(copy)
    })

  it('and who administers a workspace, by the staff that a map names', async () => {
    const copy = await fresh()
    const staff = { table: 'staff', workspace: 'workspace_id', name: 'full_name', email: 'email', admin: 'is_admin' }
    const { admins } = adapterOf({ ...map, staff: { ...staff, password: 'password_hash' } }, copy.owner).directory
    const its = { id: '1', slug: 'brightside', name: 'x', letterhead: [], timeZone: 'UTC' }
    const rows = await copy.owner('staff').where({ workspace_id: 1, is_admin: true }).orderBy('email')
    expect(rows).to.not.be.empty
    expect(await admins!(its)).to.deep.equal(rows.map(it => ({ name: it.full_name, email: it.email.toLowerCase() })))
    await copy.owner('staff').where({ id: rows[0].id }).update({ email: 'nobody' })
    expect(await admins!(its)).to.have.length(rows.length - 1)
    expect(await admins!({ ...its, id: 'nonsense' })).to.deep.equal([])
    expect(adapterOf(map, copy.database).directory.admins).to.equal(undefined)
    await close(copy)
  })
})
