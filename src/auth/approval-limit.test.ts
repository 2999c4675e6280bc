import { expect } from 'chai'
import fc from 'fast-check'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { above } from '../platform/money.ts'

const number = 'P-2026-031'
const settings = '/settings/client-portal'

describe('a limit by amount', () => {
  afterEach(leave)

  it('lets somebody accept up to it, to the cent, and says plainly who above it can be asked', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(approver)
    expect((await limit(scene, owner, 'approver', '16736.71')).status).to.equal(303)

    for (const page of ['', '/acceptance'])
      expect(await approver.get(`/proposals/${id}${page}`))
        .to.show('You can accept up to €16,736.71.', 'Ask a colleague')
        .and.not.show('Sign and accept', 'signing.js')
    expect(await approver.get('/account')).to.show('accepts up to €16,736.71')
    const refused = await accept(approver, id)
    expect(refused.status).to.equal(403)
    expect(refused.headers['content-type']).to.match(/^application\/problem\+json/)
    expect(refused.body).to.deep.include({ code: 'above-limit', limit: { amount: '16736.71', currency: 'EUR' } })
    const typed = { agree: 'on', how: 'typed', typed: 'Sanne', total: '1', seen: '' }
    expect(await approver.post(`/proposals/${id}/acceptance`, typed))
      .to.include({ status: 403 })
      .and.show('You can accept up to €16,736.71.')
    expect(await scene.owner('portal.client_signatures').select()).to.be.empty

    await limit(scene, owner, 'approver', '16736.72')
    expect((await accept(approver, id)).status).to.equal(303)
  })

  it('is compared with the total of the selected options, in its own currency only', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(approver)
    const film = await scene
      .owner('proposal_lines')
      .where({ proposal_id: id, is_optional: true, is_chosen: false })
      .first()
    await limit(scene, owner, 'approver', '17000')
    const more = { options: '1', option: String(film.id) }
    expect(await approver.get(`/proposals/${id}?${new URLSearchParams(more)}`)).to.show(
      'You can accept up to €17,000.00.',
    )
    expect((await approver.get(`/proposals/${id}`)).text).to.not.include('You can accept up to')
    expect((await accept(approver, id, more)).status).to.equal(403)

    await limit(scene, owner, 'approver', '900000', 'USD')
    expect((await accept(approver, id)).body.code).to.equal('above-limit')
    await limit(scene, owner, 'approver', '')
    expect((await accept(approver, id)).status).to.equal(303)
  })

  it('does not stop anybody from declining', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(approver)
    await limit(scene, owner, 'approver', '0')
    const { seen } = (await approver.api(`/proposals/${id}/rejection`)).body
    expect((await approver.post(`/proposals/${id}/rejection`, { seen, reason: 'Too dear.' })).status).to.equal(303)
  })

  it('decides who is asked to accept: those with a limit high enough', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, approver, member] = [
      await scene.visit('owner'),
      await scene.visit('approver'),
      await scene.visit('member'),
    ]
    const id = await idOf(approver)
    await limit(scene, owner, 'approver', '10000')
    expect((await approver.post(`/proposals/${id}/request`)).headers.location).to.include('?asked')
    const asked = () => scene.mails.filter(it => it.subject.includes('asks you'))
    await scene.mailTo(whoIs('owner').email, 'Sanne de Boer asks you to review P-2026-031')
    expect(asked().map(it => it.to)).to.deep.equal([whoIs('owner').email])

    await scene.owner('portal.client_memberships').where({ role: 'admin' }).update({ role: 'viewer' })
    await scene.owner('portal.client_activity_logs').where({ event: 'proposals.asked' }).del()
    expect(await member.post(`/proposals/${id}/request`))
      .to.include({ status: 409 })
      .and.show('Nobody at your company can accept this here.')
  })

  it('is set by the company’s own admins, kept with before and after, and shown to the team', async () => {
    const scene = await open()
    const [owner, approver, admin] = [
      await scene.visit('owner'),
      await scene.visit('approver'),
      await scene.visit('admin'),
    ]
    const path = `/team/${await personOf(scene, 'approver')}/limit`
    expect(await owner.get('/team')).to.show('Set a limit')
    expect(await owner.get(path)).to.show('How much Sanne de Boer may accept', 'Left empty: no limit.')
    await limit(scene, owner, 'approver', '10000')
    await limit(scene, owner, 'approver', '12500.5')
    expect(await approver.get('/team'))
      .to.show('Accepts up to €12,500.50')
      .and.not.show('/limit"')
    expect(await owner.get('/activity')).to.show(
      'changed how much Sanne de Boer may accept: no limit before, up to €10,000.00 now',
      'up to €10,000.00 before, up to €12,500.50 now',
    )
    expect(await admin.at(`${settings}/exceptions`)).to.show(
      'Sanne de Boer',
      'up to €12,500.50',
      'set by Nadia El-Khoury',
    )

    expect((await approver.get(path)).status).to.equal(403)
    expect((await approver.post(path, { amount: '', 'was.limit': '12500.50 EUR' })).status).to.equal(403)
    const foreign = `/team/${await personOf(scene, 'neighbour')}/limit`
    expect((await owner.get(foreign)).status).to.equal(404)
    expect((await owner.post(foreign, { amount: '1', currency: 'EUR', 'was.limit': '' })).status).to.equal(404)
    const own = `/team/${await personOf(scene, 'owner')}/limit`
    expect(await owner.post(own, { amount: '1', currency: 'EUR', 'was.limit': '' }))
      .to.include({ status: 422 })
      .and.show('Your own limit is set by another admin.')
  })

  it('is asked a recent verification for, as the other changes of a team', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    await scene.owner('portal.client_sessions').update({ sess: scene.owner.raw(`sess - 'verifications'`) })
    const form = { amount: '5', currency: 'EUR', 'was.limit': '' }
    expect(await owner.post(`/team/${await personOf(scene, 'approver')}/limit`, form))
      .to.include({ status: 403 })
      .and.show('Confirm that it’s you')
    expect(await scene.owner('portal.client_portal_settings').where({ name: 'limit' })).to.be.empty
  })

  it('takes one of two concurrent changes by admins', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (const [was, amounts] of [
      ['', ['10', '20']],
      ['now', ['30', '']],
    ] as const) {
      const [row] = await scene.owner('portal.client_portal_settings').where({ name: 'limit' }).select('value')
      const form = { currency: 'EUR', 'was.limit': was && row.value }
      const path = `/team/${await personOf(scene, 'approver')}/limit`
      const answers = await Promise.all(amounts.map(amount => owner.post(path, { ...form, amount })))
      expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
      expect(answers.find(it => it.status === 409)).to.show('This has changed in the meantime.')
    }
    expect(await scene.owner('portal.client_activity_logs').where({ event: 'team.limited' })).to.have.length(2)
  })

  it('keeps what was typed wrong, and says what to do', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (const [amount, currency, sentence] of [
      ['-5', 'EUR', 'Enter an amount in digits'],
      ['a lot', 'EUR', 'Enter an amount in digits'],
      ['1e9', 'EUR', 'Enter an amount in digits'],
      ['10.005', 'EUR', 'This currency doesn’t have that many decimals'],
      ['10.5', 'JPY', 'This currency doesn’t have that many decimals'],
      ['1000000000000000', 'EUR', 'Enter a smaller amount'],
      ['10', '', 'Choose the currency.'],
      ['10', 'XXXX', 'Choose the currency.'],
    ] as const) {
      const answer = await limit(scene, owner, 'approver', amount, currency)
      expect(answer.status, amount).to.equal(422)
      expect(answer).to.show(sentence, `value="${amount}"`)
    }
    const json = await owner.agent
      .post(`/portal/brightside/team/${await personOf(scene, 'approver')}/limit`)
      .send({ amount: 5, currency: 'EUR', 'was.limit': '' })
    expect(json.status).to.equal(422)
    expect((await limit(scene, owner, 'approver', '0010,5', 'EUR')).status).to.equal(303)
    const [{ value }] = await scene.owner('portal.client_portal_settings').where({ name: 'limit' }).select('value')
    expect(value).to.equal('10.50 EUR')
  })

  it('can be set by staff: for a client, except its admins, or for one of its people', async () => {
    const scene = await open()
    const [owner, approver, admin] = [
      await scene.visit('owner'),
      await scene.visit('approver'),
      await scene.visit('admin'),
    ]
    const [client, person] = [await clientOf(scene), await personOf(scene, 'approver')]
    const set = (path: string, form: object) => admin.postAt(`${settings}/exceptions/${path}`, form)
    expect((await set(client, { amount: '9000', currency: 'EUR', 'was.limit': '' })).status).to.equal(303)
    expect(await approver.get('/account')).to.show('accepts up to €9,000.00')
    expect((await owner.get('/account')).text).to.not.include('accepts up to')
    expect(await admin.at(`${settings}/exceptions/${client}/${person}`)).to.show('Left empty: up to €9,000.00')

    await set(`${client}/${person}`, { amount: '20000', currency: 'EUR', 'was.limit': '' })
    expect(await approver.get('/account')).to.show('accepts up to €20,000.00')
    expect((await set(client, { amount: '1', currency: 'EUR', 'was.limit': '' })).status).to.equal(409)
    const wrong = { amount: 'x', currency: 'EUR', 'was.limit': '9000.00 EUR' }
    expect(await set(client, { ...wrong, payments: 'off', 'was.payments': 'inherited' }))
      .to.include({ status: 422 })
      .and.show('value="x"', '<option value="off" selected>')
    expect((await set(client, {})).status).to.equal(303)
    await set(`${client}/${await personOf(scene, 'owner')}`, { amount: '7', currency: 'EUR', 'was.limit': '' })
    expect(await owner.get('/account')).to.show('accepts up to €7.00')
    expect(await owner.get('/activity')).to.show('Marta Lindqvist', 'may accept: no limit before, up to €9,000.00 now')
  })

  it('compares as decimals do, however long they are', () => {
    const amount = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 6 }))
    const text = ([it, workspaces]: [bigint, number]) => {
      const digits = String(it < 0n ? -it : it).padStart(workspaces + 1, '0')
      const cut = digits.length - workspaces
      return `${it < 0n ? '-' : ''}${digits.slice(0, cut)}${workspaces ? `.${digits.slice(cut)}` : ''}`
    }
    fc.assert(
      fc.property(amount, amount, (one, other) => {
        const exact = one[0] * 10n ** BigInt(6 - one[1]) > other[0] * 10n ** BigInt(6 - other[1])
        const money = (it: [bigint, number]) => ({ amount: text(it), currency: 'EUR' })
        expect(above(money(one), money(other))).to.equal(exact)
      }),
    )
    expect(above({ amount: '0', currency: 'USD' }, { amount: '5', currency: 'EUR' })).to.equal(true)
  })
})

const idOf = async (who: Visitor) => (await who.api(`/proposals?search=${number}`)).body.items[0].id as string

const personOf = async ({ owner }: Scene, role: Role) =>
  (
    await owner('portal.client_users')
      .where({ email: whoIs(role).email })
      .first('id')
  ).id

const clientOf = async ({ owner }: Scene) =>
  String((await owner('public.invoices').where({ ref_no: '2026-0107' }).first('client_id')).client_id)

async function limit(scene: Scene, admin: Visitor, role: Role, amount: string, currency = 'EUR') {
  const path = `/team/${await personOf(scene, role)}/limit`
  const was = /name="was.limit" value="([^"]*)"/.exec((await admin.get(path)).text)?.[1]
  return admin.post(path, { amount, currency, 'was.limit': was })
}

/** Accepts by the API. */
async function accept(who: Visitor, id: string, choice: object = {}) {
  const address = `/portal/brightside/api/v1/proposals/${id}/acceptance`
  const page = await who.agent.get(address).query(choice)
  const form = { ...choice, seen: page.body.seen, agree: 'on', how: 'typed', typed: who.person?.name }
  return who.agent.post(address).send(form)
}
