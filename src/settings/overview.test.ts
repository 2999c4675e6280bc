import { expect } from 'chai'
import { testTime } from '../../test/database.ts'
import { leave, open } from '../../test/visit.ts'

const settings = '/settings/client-portal'

describe('the overview', () => {
  afterEach(leave)

  it('shows what waits, with a link to each, and nothing of another workspace', async () => {
    const { visit, owner: database, pass } = await open({ mail: 'kept' })
    const [admin, owner] = [await visit('admin'), await visit('owner')]
    expect(await admin.at(settings)).to.show('Nothing is waiting for you')

    const [{ id }] = (await owner.api('/proposals?status=open')).body.items
    await owner.post(`/proposals/${id}/comments`, { text: 'May the box be taller?' })
    await admin.postAt(`${settings}/people/invite/${await clientOf(database)}`, { ...somebody, role: 'viewer' })
    await pass(4 * 24 * 60)
    await database('portal.client_outbox').update({ failed_at: database.raw('portal.now()'), sent_at: null })
    const page = await (await visit('admin')).at(settings)
    expect(page)
      .to.show('A question is waiting for an answer', `${settings}/questions`)
      .and.show('One person was invited but hasn’t signed in', 'One invitation expires within three days')
      .and.show('could not be delivered', `${settings}/mail?show=failed`)
      .and.not.show('Nothing is waiting for you')
    expect(page.text.indexOf('could not be delivered')).to.be.below(page.text.indexOf('A question is waiting'))
  })

  it('counts the week beside the one before, in the time zone of the workspace', async () => {
    const scene = await open()
    await scene.owner('portal.client_activity_logs').del()
    const row = (days: number, actor: string, event = 'account.signed-in') => ({
      ...{
        workspace_id: '1',
        event,
        actor_kind: 'client',
        actor_id: actor,
        actor_name: actor,
        subject: { number: 'N-1', version: 1 },
      },
      at: new Date(new Date(testTime()).getTime() - days * 86_400_000),
    })
    const all = [row(1, 'ann'), row(2, 'ann'), row(2, 'ben'), row(8, 'ann'), row(9, 'cid'), row(20, 'dan')]
    await scene.owner('portal.client_activity_logs').insert([...all, row(1, 'ann', 'proposals.accepted')])
    const page = await (await scene.visit('admin')).at(settings)
    const told = page.text.replace(/<[^>]+>|\s+/g, ' ').replace(/ +/g, ' ')
    expect(told).to.include('Active people 2 of').and.include('Accepted 1 1 more')
    expect(told).to.match(/Sign-ins 3 1 more/)
    expect(page).to.show('ann', 'accepted')
  })

  it('leads through what is to be set up', async () => {
    const { visit, owner: database } = await open({ mail: undefined })
    await database('portal.client_memberships').del()
    expect(await (await visit('admin')).at(settings)).to.show(
      'Getting started',
      'Invite the first client',
      'This portal sends no e-mail',
    )
  })
})

const somebody = { name: 'Pia Late', email: 'pia@acmebakery.example' }
const clientOf = async (database: any) =>
  String((await database('clients').where({ company_name: 'Acme Bakery' }).first('id')).id)
