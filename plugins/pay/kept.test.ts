import { expect } from 'chai'
import { area, closeCounters, counter } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const late = '2026-0112'
const settings = '/settings/client-portal'

describe('a payment that somebody began', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('is shown to them when they come back, also where payments were switched off meanwhile', async () => {
    const { scene, admin, nadia, due, begin, pay, row, settled } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    const billing = await scene.visit('billing')
    await switchOff(scene)
    expect(await nadia.get(`/pay/${id}?stopped`))
      .to.show('You stopped', 'Nothing was taken.')
      .and.not.show('carry on', 'Pay another way', 'Pay now')
    await pay(url)
    await until(async () => (await row(id)).state === 'paid')
    await settled()
    expect(await nadia.get(`/pay/${id}?returned`)).to.show('Paid. Thank you, Nadia.', late, 'Download the receipt')
    expect((await nadia.get(`/pay/${id}/pdf`)).type).to.equal('application/pdf')
    expect((await nadia.api(`/pay/${id}`)).status).to.equal(404)
    expect(await admin.at(`${area}/${id}`)).to.show(late)

    for (const path of ['/pay', `/pay?document=${key}`, '/pay/x', '/pay/%00', `/pay/${id}/x`])
      expect((await nadia.get(path)).status, path).to.equal(404)
    expect((await nadia.post('/pay', { document: key, method: 'transfer' })).status).to.equal(404)
    expect((await nadia.post(`/pay/${id}/cancellation`)).status).to.equal(404)
    for (const who of [billing, await scene.visit('neighbour'), await scene.visit('stranger')])
      for (const path of [id, `${id}/pdf`]) expect((await who.get(`/pay/${path}`)).status).to.equal(404)
    expect((await (await scene.visit()).get(`/pay/${id}`)).status).to.equal(303)

    const asNadia = await viewAs(scene, admin, 'owner')
    expect(await admin.at(`${asNadia}pay/${id}`)).to.show('You are viewing as Nadia El-Khoury', 'Paid')
    expect((await admin.at(`${asNadia}pay`)).status).to.equal(404)
    expect((await admin.at(`${await viewAs(scene, admin, 'billing')}pay/${id}`)).status).to.equal(404)
  })

  it('that failed offers no other way where there is none', async () => {
    const { scene, bank, nadia, due } = await counter()
    const { key } = await due(late)
    bank.faults.down('error')
    const sent = await nadia.post('/pay', { method: 'stripe', document: key })
    bank.faults.up()
    await switchOff(scene)
    expect(await nadia.get(sent.headers.location!.replace('/portal/brightside', '')))
      .to.show('Online payment is unavailable', 'Nothing was taken.')
      .and.not.show('Pay by transfer<', 'Try again</a>')
  })

  it('is shown to them in another role, which sees no others', async () => {
    const { scene, nadia, due, begin } = await counter()
    const billing = await scene.visit('billing')
    const { key } = await due(late)
    const hers = await begin(nadia, { document: key })
    const theirs = await begin(billing, { document: key, anyway: 'on' })
    await scene
      .owner('portal.client_memberships')
      .whereIn(
        'person_id',
        scene
          .owner('portal.client_users')
          .select('id')
          .where({ email: whoIs('billing').email }),
      )
      .update({ role: 'viewer' })
    expect(await billing.get(`/pay/${theirs.id}?stopped`))
      .to.show('You stopped')
      .and.not.show('Pay another way')
    expect((await billing.get(`/pay/${hers.id}`)).status).to.equal(403)
  })
})

const switchOff = ({ owner }: Scene) =>
  owner('portal.client_portal_settings').insert({
    ...{ workspace_id: '1', name: 'pay', value: 'false', changed_by: 'a test' },
  })

/** Where staff see the portal as this person of the owner's company does. */
async function viewAs({ owner }: Scene, admin: Visitor, role: Role): Promise<string> {
  const { id, client_id } = await owner('portal.client_users as u')
    .join('portal.client_memberships as m', 'm.person_id', 'u.id')
    .where({ 'u.email': whoIs(role).email })
    .first('u.id', 'm.client_id')
  const begun = await admin.postAt(`${settings}/view`, { client: client_id, person: id })
  expect(begun.status, begun.text).to.equal(303)
  return `${settings}/view/${client_id}/${id}/`
}
