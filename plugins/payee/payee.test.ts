// @adapter code: the demo’s map names no admins.
import { expect } from 'chai'
import { leave, open, type Visitor } from '../../test/visit.ts'

const area = '/settings/client-portal/bank-details'
const ours = { holder: 'Brightside Studio B.V.', iban: 'nl20ingb0001234567', bic: 'INGBNL2A', bank: 'ING' }

describe('bank details', () => {
  afterEach(leave)

  const idIn = (text: string) => /bank-details\/([\w-]{36})\/withdrawal/.exec(text)![1]!
  const enter = async (admin: Visitor, more: object = {}) => {
    const saved = await admin.postAt(area, { ...ours, ...more })
    expect(saved.status, saved.text).to.equal(303)
    return idIn((await admin.at(area)).text)
  }

  it('hold a day after they were entered, are mailed to every admin, and clients see since when', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nadia] = [await scene.visit('admin'), await scene.visit('owner')]
    const { id } = (await nadia.api('/invoices?search=2026-0107')).body.items[0]
    await enter(admin)
    const mail = await scene.mailTo(admin.person!.email)
    expect(mail.subject).to.equal('New bank details for Brightside Agency')
    expect(mail.text).to.include('NL20 INGB 0001 2345 67').and.include('/bank-details')
    expect(await nadia.get(`/invoices/${id}`))
      .to.show('NL91 ABNA 0417 1643 00')
      .and.not.show('NL20 INGB')
    await scene.pass(24 * 60 + 1)
    const later = await scene.visit('owner')
    expect(await later.get(`/invoices/${id}`))
      .to.show('NL20 INGB 0001 2345 67', 'These bank details are new since', 'data-copy="2026-0107"')
      .and.not.show('NL91 ABNA')
    const { account } = (await later.api(`/invoices/${id}`)).body.invoice
    expect(account).to.include({ iban: 'NL20 INGB 0001 2345 67', reference: '2026-0107' })
    const paying = await later.post('/pay', { method: 'transfer', document: `invoices/${id}` })
    expect(await later.agent.get(paying.headers.location!)).to.show('NL20 INGB 0001 2345 67')
    await scene.pass(31 * 24 * 60)
    expect(await (await scene.visit('owner')).get(`/invoices/${id}`)).to.show('have not changed since')
  })

  it('need another admin to hold at once, and can be withdrawn by any until then', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const id = await enter(admin)
    expect((await admin.postAt(`${area}/${id}/confirmation`)).status, 'the same admin').to.equal(409)
    expect((await admin.postAt(area, ours)).status, 'while one waits').to.equal(409)
    expect((await admin.postAt(`${area}/nothing/withdrawal`)).status).to.equal(404)
    await scene.owner('portal.client_bank_details').update({ entered_by_id: 'somebody else' })
    expect((await admin.postAt(`${area}/${id}/confirmation`)).status).to.equal(303)
    expect((await admin.postAt(`${area}/${id}/withdrawal`)).status, 'once it holds').to.equal(409)
    expect(await admin.at(area)).to.show('NL20 INGB 0001 2345 67', 'Confirmed by Marta Lindqvist.')
    const next = await enter(admin, { iban: 'DE89 3704 0044 0532 0130 00' })
    expect((await admin.postAt(`${area}/${next}/withdrawal`)).status).to.equal(303)
    await scene.pass(25 * 60)
    expect(await (await scene.visit('admin')).at(area)).to.show('Withdrawn by Marta Lindqvist')
    const [nadia] = [await scene.visit('owner')]
    const invoice = (await nadia.api('/invoices?search=2026-0107')).body.items[0]
    expect(await nadia.get(`/invoices/${invoice.id}`))
      .to.show('NL20 INGB')
      .and.not.show('DE89')
    const told = await scene.owner('portal.client_activity_logs').whereLike('event', 'payee.%').orderBy('id')
    expect(told.map(it => it.event.split('.')[1])).to.deep.equal(['entered', 'confirmed', 'entered', 'withdrawn'])
  })

  it('are entered once by two admins at the same time, and never changed afterwards', async () => {
    const scene = await open()
    const [one, other] = [await scene.visit('admin'), await scene.visit('admin')]
    const answers = await Promise.all([one, other].map(it => it.postAt(area, ours)))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    const change = scene.database.raw("update portal.client_bank_details set details = '{}'")
    expect(await change.catch(error => error.code)).to.equal('42501')
    const removal = scene.database.raw('delete from portal.client_bank_details')
    expect(await removal.catch(error => error.code)).to.equal('42501')
  })

  it('with a typing error are refused, and keep what was typed', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    for (const [more, sentence] of [
      [{ iban: 'NL20 INGB 0001 2345 68' }, 'This IBAN has a typing error.'],
      [{ iban: '' }, 'Enter the IBAN or the account number.'],
      [{ bic: 'ING' }, 'A BIC has 8 or 11 letters and digits.'],
      [{ holder: ' ' }, 'Enter the account holder.'],
      [{ bank: 'x'.repeat(101) }, 'Use at most 100 characters.'],
    ] as [object, string][]) {
      const refused = await admin.postAt(area, { ...ours, ...more })
      expect(refused.status).to.equal(422)
      expect(refused).to.show(sentence, 'value="INGBNL2A"'.replace('INGBNL2A', 'bic' in more ? 'ING' : 'INGBNL2A'))
    }
    expect(await scene.owner('portal.client_bank_details')).to.have.length(0)
    expect((await (await scene.visit('colleague')).postAt(area, ours)).status).to.equal(403)
    expect((await (await scene.visit('owner')).postAt(area, ours)).text).to.not.include('NL20')
  })
})
