import { expect } from 'chai'
import { leave, open, whoIs } from '../../test/visit.ts'

describe('a mail’s link, for members of several companies,', () => {
  afterEach(leave)

  it('switches to its company once they confirm, and reveals no company that is not theirs', async () => {
    const scene = await open({ mail: 'kept' })
    const [twofold, owner] = [await scene.visit('twofold'), await scene.visit('owner')]
    const memberships = await scene
      .owner('portal.client_memberships as m')
      .join('portal.client_users as u', 'u.id', 'm.person_id')
      .where({ 'u.email': whoIs('twofold').email })
      .select('m.client_id', 'm.client_name')
    const here = (await twofold.api('/me')).body.client
    const there = memberships.find(it => it.client_id !== here.id)!
    const theirs = there.client_name.replace('&', '&amp;')
    const { id } = await scene.owner('invoices').where({ client_id: there.client_id, state: 'sent' }).first('id')
    const path = `/invoices/${id}?client=${there.client_id}`

    expect((await twofold.get(`/invoices/${id}`)).status).to.equal(404)
    for (let at = 0; at < 2; at++)
      expect(await twofold.get(path)).to.show(`For ${theirs}`, `Stay with ${here.name}`, 'name="next"')
    expect((await twofold.fragment(path)).status).to.equal(404)
    const answer = await twofold.post('/account/client', { client: there.client_id, next: `/portal/brightside${path}` })
    expect(answer.headers.location).to.equal(`/portal/brightside${path}`)
    expect(await twofold.get(path))
      .to.include({ status: 200 })
      .and.not.show('Stay with')
    for (const next of ['https://else.where/', '//else.where', '/portal/harbor/'])
      expect((await twofold.post('/account/client', { client: here.id, next })).headers.location).to.equal(
        '/portal/brightside/',
      )
    expect((await owner.get(path)).status).to.equal(404)
    expect(await owner.get(`/invoices?client=${there.client_id}`)).to.not.show(theirs)
  })

  it('names its company', async () => {
    const scene = await open({ mail: 'kept' })
    const [member, admin] = [await scene.visit('member'), await scene.visit('admin')]
    const [{ id }] = (await member.api('/proposals?status=open')).body.items
    await member.post(`/proposals/${id}/comments`, { text: 'When?' })
    await member.post(`/proposals/${id}/request`)
    expect((await scene.mailTo(whoIs('owner').email)).text).to.include(`/proposals/${id}?client=1`)
    const question = await scene.owner('portal.client_comments').first('id')
    await admin.postAt(`/settings/client-portal/questions/${question.id}/reply`, { text: 'Soon.' })
    expect((await scene.mailTo(whoIs('member').email)).text).to.include(`/proposals/${id}?client=1#talk`)
  })
})
