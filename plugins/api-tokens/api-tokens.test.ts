import { expect } from 'chai'
import request from 'supertest'
import { prune } from '../../src/cli/prune.ts'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'

const home = '/portal/brightside/api/v1'

const form = (more: object = {}) => ({
  name: 'At night',
  days: '30',
  scopes: 'invoices.see',
  ...more,
})
const made = (page: { text: string }) => /\bptp_[\w-]{43}\b/.exec(page.text)?.[0] ?? ''

describe('a token of one’s own', () => {
  afterEach(leave)

  const ask = ({ app }: Scene, path: string, token: string) =>
    request(app)
      .get(home + path)
      .set('Authorization', `Bearer ${token}`)

  it('is made after a recent verification, shown once, and may what was ticked', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const page = await owner.post('/account/tokens', form())
    const token = made(page)
    expect(page.status).to.equal(200)
    expect((await owner.get('/account/tokens')).text)
      .to.include('At night')
      .and.not.include(token)
    expect((await ask(scene, '/invoices', token)).status).to.equal(200)
    const more = await ask(scene, '/proposals', token)
    expect(more.status).to.equal(403)
    expect(more.headers['www-authenticate']).to.equal('Bearer realm="brightside", error="insufficient_scope"')
    expect((await ask(scene, '/me', token)).body.permissions).to.deep.equal(['invoices.see'])
    expect(JSON.stringify(await scene.owner('portal.client_sessions').select())).to.not.include(token)
    const { text } = await owner.get('/account/tokens')
    expect(text).to.include('Last used on').and.include('127.0.0.1')
    expect((await owner.get('/activity')).text).to.include('made the token At night for a program')
  })

  it('is not made without a recent verification, without a right, or for more than one has', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (const [more, sentence] of [
      [{ scopes: [] }, 'Choose at least one permission.'],
      [{ scopes: ['team.change', 'nonsense'] }, 'Choose at least one permission.'],
      [{ days: '9999' }, 'Choose how long it is valid.'],
      [{ name: ' ' }, 'Enter a description.'],
    ] as const) {
      const page = await owner.post('/account/tokens', form(more))
      expect(page, sentence).to.include({ status: 422 }).and.show(sentence)
      expect(made(page)).to.equal('')
    }
    const billing = await scene.visit('billing')
    const page = await billing.post('/account/tokens', form({ scopes: 'proposals.see' }))
    expect(page.status).to.equal(422)
    await scene.owner('portal.client_sessions').update({ sess: scene.owner.raw(`sess - 'verifications'`) })
    const asked = await owner.post('/account/tokens', form())
    expect(asked).to.include({ status: 403 }).and.show('Confirm that it’s you', 'Create an API token')
    expect(await scene.owner('portal.client_api_tokens').select()).to.deep.equal([])
    const proof = { 'step-up.by': 'password', 'step-up.password': whoIs('owner').password }
    expect(made(await owner.post('/account/tokens', form(proof)))).to.match(/^ptp_/)
  })

  it('ends when its owner says so, and nobody else can end it', async () => {
    const scene = await open()
    const [owner, neighbour] = [await scene.visit('owner'), await scene.visit('neighbour')]
    const token = made(await owner.post('/account/tokens', form()))
    const [{ id }] = await scene.owner('portal.client_api_tokens').select('id')
    for (const them of [neighbour, await scene.visit('approver')])
      expect((await them.post(`/account/tokens/${id}/end`)).status).to.equal(404)
    for (const nothing of ['nonsense', '01990000-0000-7000-8000-000000000000'])
      expect((await owner.post(`/account/tokens/${nothing}/end`)).status).to.equal(404)
    expect((await ask(scene, '/me', token)).status).to.equal(200)
    expect((await owner.post(`/account/tokens/${id}/end`)).status).to.equal(303)
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })

  it('loses at once what its owner loses, and comes to its end on its day', async () => {
    const scene = await open()
    const token = made(await (await scene.visit('owner')).post('/account/tokens', form()))
    await (await scene.visit('admin')).postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    expect((await ask(scene, '/invoices', token)).status).to.equal(404)
    await scene
      .owner('portal.client_sessions')
      .whereRaw(`sid like 'api.%'`)
      .update({ expire: new Date(0) })
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })

  it('ends with a change of the address, is pruned after its end, and says nothing of when its owner was here', async () => {
    const scene = await open()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const people = async () =>
      (await admin.at('/settings/client-portal/people?search=nadia')).text.replaceAll(/nonce="[^"]+"/g, '')
    const before = await people()
    const token = made(await owner.post('/account/tokens', form({ days: '365' })))
    expect(await people()).to.equal(before)
    await scene.owner('portal.client_api_tokens').update({ expires_at: new Date(0) })
    const said = await prune({ ownerUrl: scene.owner.client.config.connection, url: '' } as never)
    expect(said).to.include('1 tokens of programs')
    expect((await ask(scene, '/me', token)).status).to.equal(200)
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ email: 'new@else.where' })
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })
})
