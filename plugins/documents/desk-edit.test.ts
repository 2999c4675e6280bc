import { expect } from 'chai'
import { leave, open, type Visitor } from '../../test/visit.ts'

const settings = '/settings/client-portal/documents'
const client = `${settings}/clients/1`

async function scene() {
  const it = await open()
  await it.owner('public.documents').where({ about_type: null }).update({ shared: false })
  const [owner, viewer, admin] = await Promise.all([it.visit('owner'), it.visit('viewer'), it.visit('admin')])
  const makeFolder = async (name: string, fields: Record<string, string> = {}): Promise<string> => {
    await admin.postAt(`${client}/folders`, { name, ...fields })
    return (await it.owner('portal.client_document_folders').where({ name }).first('id')).id
  }
  const share = async (name: string, fields: Record<string, string> = {}): Promise<string> => {
    const request = admin.agent.post(client).attach('files', Buffer.from(name), { filename: name })
    for (const [field, value] of Object.entries(fields)) request.field(field, value)
    expect((await request).status).to.equal(303)
    return (await it.owner('portal.client_documents').where({ name }).first('id')).id
  }
  return { ...it, owner: owner!, viewer: viewer!, admin: admin!, database: it.owner, makeFolder, share }
}

const seen = async (who: Visitor) => (await who.api('/documents?sort=name')).body.items.map((it: any) => it.name)

describe('staff change documents', () => {
  afterEach(leave)

  it('in name, folder, readers and last day, and the client sees it at once', async () => {
    const { owner, viewer, admin, makeFolder, share } = await scene()
    const [folder, id] = [await makeFolder('Reports'), await share('draft.txt')]
    expect(await admin.at(`${settings}/${id}`)).to.show('Name, folder and readers', 'value="draft.txt"')
    const form = { name: 'Annual report', folder, expiresOn: '2999-12-31', 'role.admin': 'on' }
    const saved = await admin.postAt(`${settings}/${id}`, form)
    expect([saved.status, saved.headers.location]).to.deep.equal([303, `${settings}/${id}?changed`])

    const [document] = (await owner.api('/documents')).body.items
    expect(document).to.include({ name: 'Annual report.txt', expiresOn: '2999-12-31', version: 1 })
    expect(document.folder.name).to.equal('Reports')
    expect(await seen(viewer)).to.deep.equal([])
    expect((await admin.at('/settings/client-portal/activity')).text).to.include('Annual report.txt')
  })

  it('and read what is wrong, with what they typed', async () => {
    const { admin, share } = await scene()
    const id = await share('draft.txt')
    const wrong = { name: ' ', folder: '018f0000-0000-7000-8000-000000000001', expiresOn: 'soon', 'role.viewer': 'on' }
    const answer = await admin.postAt(`${settings}/${id}`, wrong)
    expect(answer.status).to.equal(422)
    expect(answer).to.show('Enter a name.', 'Enter a date.')
    const gone = await admin.postAt(`${settings}/${id}`, { ...wrong, name: 'x', expiresOn: '' })
    expect(gone).to.show('This folder is no longer there.')
    for (const path of ['018f0000-0000-7000-8000-000000000001', 'nonsense'])
      expect((await admin.postAt(`${settings}/${path}`, { name: 'x' })).status).to.equal(404)
    await admin.postAt(`${settings}/${id}`, { name: '../..\\evil\u202etxt.exe' })
    expect(await admin.at(`${settings}/${id}`)).to.show('eviltxt.exe.txt')
  })

  it('rename a folder and choose its readers, one name for one folder', async () => {
    const { owner, viewer, admin, makeFolder, share } = await scene()
    const [reports, plans] = [await makeFolder('Reports'), await makeFolder('Plans')]
    await share('report.txt', { folder: reports })
    const taken = await admin.postAt(`${client}/folders/${reports}`, { name: 'plans', 'role.admin': 'on' })
    expect(taken.status).to.equal(422)
    expect(taken).to.show('There is a folder of this name.', 'value="plans"')
    const both = await Promise.all(
      [reports, plans].map(it => admin.postAt(`${client}/folders/${it}`, { name: 'Drawings', 'role.admin': 'on' })),
    )
    expect(both.map(it => it.status).sort()).to.deep.equal([303, 422])
    expect(
      (await admin.postAt(`${client}/folders/${reports}`, { name: 'Year-end', 'role.admin': 'on' })).status,
    ).to.equal(303)
    expect(await seen(owner)).to.deep.equal(['report.txt'])
    expect(await seen(viewer)).to.deep.equal([])
    for (const path of ['clients/2', 'clients/nobody'])
      expect((await admin.postAt(`${settings}/${path}/folders/${reports}`, { name: 'x' })).status).to.equal(404)
  })

  it('remove a folder, and nobody sees a document of it who did not before', async () => {
    const { owner, viewer, admin, makeFolder, share, database } = await scene()
    const folder = await makeFolder('Contracts', { 'role.admin': 'on', 'role.approver': 'on' })
    await share('for both.txt', { folder })
    await share('for admins.txt', { folder, 'role.admin': 'on', 'role.viewer': 'on' })
    await share('for viewers.txt', { folder, 'role.viewer': 'on' })
    expect(await seen(owner)).to.deep.equal(['for admins.txt', 'for both.txt'])
    const answer = await admin.postAt(`${client}/folders/${folder}/removal`, {})
    expect(answer.headers.location).to.equal(`${client}?unfolded`)
    expect(await admin.at(answer.headers.location!)).to.show('The folder was removed.')

    expect(await seen(owner)).to.deep.equal(['for admins.txt', 'for both.txt'])
    expect(await seen(viewer)).to.deep.equal([])
    const rows = await database('portal.client_documents').orderBy('name').select('name', 'roles', 'folder_id')
    expect(rows.map(it => it.roles)).to.deep.equal([['admin'], ['admin', 'approver'], []])
    expect((await admin.postAt(`${client}/folders/${folder}/removal`, {})).status).to.equal(404)
  })
})
