import { expect } from 'chai'
import { leave, open, whoIs } from '../../test/visit.ts'

const area = '/settings/client-portal/exceptions'

describe('an exception', () => {
  afterEach(leave)

  const scene = async () => {
    const it = await open()
    const { person_id, client_id } = await it
      .owner('portal.client_memberships as m')
      .join('portal.client_users as u', 'u.id', 'm.person_id')
      .where('u.email', whoIs('owner').email)
      .first('m.person_id', 'm.client_id')
    const [admin, owner, billing, neighbour] = await Promise.all([
      it.visit('admin'),
      it.visit('owner'),
      it.visit('billing'),
      it.visit('neighbour'),
    ])
    const client = `${area}/${client_id}`
    const sees = async () =>
      Promise.all([owner, billing, neighbour].map(async who => (await who!.get('/invoices')).status === 200))
    return { ...it, admin, client, person: `${client}/${person_id}`, sees }
  }
  const set = (before: string, after: string) => ({ 'was.invoices': before, invoices: after })

  it('for a client or a person comes before the workspace, at once, and back again', async () => {
    const { admin, client, person, sees } = await scene()
    expect(await sees()).to.deep.equal([true, true, true])

    expect((await admin.postAt(client, set('inherited', 'off'))).headers.location).to.equal(`${client}?saved`)
    expect(await sees()).to.deep.equal([false, false, true])
    await admin.postAt(person, set('inherited', 'on'))
    expect(await sees()).to.deep.equal([true, false, true])
    await admin.postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    expect(await sees()).to.deep.equal([true, false, false])
    await admin.postAt(client, set('off', 'inherited'))
    await admin.postAt(person, set('on', 'inherited'))
    expect(await sees()).to.deep.equal([false, false, false])
  })

  it('is found by name, shown with what is inherited and from where, and kept in the activity', async () => {
    const { admin, client, person } = await scene()
    await admin.postAt(client, set('inherited', 'off'))
    await admin.postAt(person, set('inherited', 'on'))

    expect(await admin.at(area)).to.show(
      'Nadia El-Khoury',
      'always on',
      'Acme Bakery',
      'always off',
      'set by Marta Lindqvist',
    )
    expect(await admin.at(`${area}?search=nadia`))
      .to.show('nadia@acmebakery.example', person)
      .and.not.show('declan@')
    expect(await admin.at(`${area}?search=harriet`)).to.show('Nobody found')
    expect(await admin.at(person)).to.show('off, from Acme Bakery', 'on, by default')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'set Invoices to on for Nadia El-Khoury',
      'set Invoices to off for Acme Bakery',
    )
  })

  it('that was changed meanwhile is refused, and shown as it is', async () => {
    const { admin, client, owner } = await scene()
    await admin.postAt(client, set('inherited', 'off'))
    for (const late of [set('inherited', 'on'), set('on', 'off'), set('on', 'inherited')]) {
      expect(await admin.postAt(client, late))
        .to.include({ status: 409 })
        .and.show('changed in the meantime', 'value="off" selected')
    }
    expect(
      await owner('portal.client_activity_logs').where({ event: 'settings.exception' }).select('id'),
    ).to.have.length(1)
  })

  it('is for clients and people of the workspace only', async () => {
    const { admin, person, owner } = await scene()
    const other = await owner('portal.client_memberships').whereNot('workspace_id', '1').first('client_id', 'person_id')
    for (const path of [
      `${area}/${other.client_id}`,
      `${area}/${other.client_id}/${other.person_id}`,
      `${area}/nonsense`,
      `${person}x`,
      `${area}/${other.client_id}/x`,
    ]) {
      expect((await admin.at(path)).status, path).to.equal(404)
      expect((await admin.postAt(path, set('inherited', 'off'))).status, path).to.equal(404)
    }
    expect(await owner('portal.client_portal_settings').select('name')).to.be.empty
  })
})
