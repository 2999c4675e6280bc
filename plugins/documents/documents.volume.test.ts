import { expect } from 'chai'
import { leave, open, type Scene } from '../../test/visit.ts'
import { readInFull } from '../../test/volume.ts'

const many = 100_000
const idOf = (prefix: string, at: string) => `('${prefix}-0000-7000-8000-' || lpad((${at})::text, 12, '0'))::uuid`
const file = idOf('0199a000', 'i')
const folder = idOf('0299a000', 'i % 50 + 1')

const read = ['client_documents', 'client_document_versions']

/** Documents of one client, in fifty folders, one every twenty minutes. */
async function fill({ owner }: Scene) {
  const tables = ['client_files', 'client_documents', 'client_document_versions', 'client_document_folders']
  for (const it of tables) await owner.raw(`alter table portal.${it} no force row level security`)
  const rows = [
    `client_document_folders (workspace_id, id, client_id, name)
     select '1', ${idOf('0299a000', 'i')}, '1', 'Folder ' || i from generate_series(1, 50) i`,
    `client_files (workspace_id, id, client_id, name, type, size, sha256, state, by_kind, by_id, by_name)
     select '1', ${file}, '1', 'f', 'text/plain', i, '', 'ready', 'staff', '1', 'Marta' from generate_series(1, ${many}) i`,
    `client_documents (workspace_id, id, client_id, folder_id, name, file_id, size, by_kind, by_id, by_name, changed_at)
     select '1', ${file}, '1', ${folder}, md5(i::text) || '.txt', ${file}, i, case when i % 3 = 0 then 'client' else 'staff' end,
       '1', 'Marta', portal.now() - i * interval '20 minutes' from generate_series(1, ${many}) i`,
    `client_document_versions (workspace_id, document_id, version, client_id, file_id, by_kind, by_id, by_name)
     select '1', ${file}, 1, '1', ${file}, 'staff', '1', 'Marta' from generate_series(1, ${many}) i`,
  ]
  for (const it of rows) await owner.raw(`insert into portal.${it}`)
  for (const it of tables) await owner.raw(`alter table portal.${it} force row level security`)
  await owner.raw(`vacuum analyze ${tables.map(it => `portal.${it}`).join(', ')}`)
}

describe('documents', () => {
  afterEach(leave)

  it('of a client who has 100,000 are listed in every order by indexes, fifty folders counted', async function () {
    this.timeout(120_000)
    const scene = await open()
    await scene.owner('public.documents').update({ shared: false })
    await fill(scene)
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const before = await readInFull(scene, read)
    const lists = ['', '?sort=name', '?sort=largest', '?status=new', '?status=sent', '?status=expiring']
    for (const query of lists) expect((await owner.get(`/documents${query}`)).status, query).to.equal(200)
    const page = await owner.api('/documents?sort=name&size=100')
    const next = await owner.api(`/documents?sort=name&size=100&after=${page.body.next}`)
    const names = [...page.body.items, ...next.body.items].map(it => it.name)
    expect(new Set(names).size).to.equal(200)
    expect(names).to.deep.equal(names.toSorted())
    expect(page.body.overview.counts).to.deep.include({ all: 1001, sent: 1001, expiring: 0 })
    expect(page.body.overview.folders).to.have.length(50)
    for (const path of ['', '/clients/1']) {
      const { status } = await admin.at(`/settings/client-portal/documents${path}`)
      expect(status).to.equal(200)
    }
    expect((await readInFull(scene, read)) - before).to.be.below(many / 10)
    expect((await owner.get('/documents?search=00ff')).status).to.equal(200)
  })
})
