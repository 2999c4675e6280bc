// @adapter code: the demo’s map books no payments.
import { expect } from 'chai'
import { person, share } from '../../test/links.ts'
import { type Counter, closeCounters, counter } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

const [late, next] = ['2026-0112', '2026-0119']

describe('a payment by a public link', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('needs no account, comes back to the link, is booked once, and leaves a receipt', async () => {
    const it = await counter()
    const { guest, page, base, key } = await linkTo(it, late)
    expect(await guest.at(page)).to.show('Pay now', `href="${base}/pay?document=`)
    const choice = await guest.at(`${base}/pay?document=${key}`)
    expect(choice).to.show(late, `href="${page}"`).and.not.show(next, '<nav')
    const { id, url } = await beginAs(it, guest, base, { document: key })
    await it.pay(url)
    const session = it.bank.events().find(one => one.type === 'checkout.session.completed')?.data.object
    expect(session).to.include({ success_url: `https://crm.example${base}/pay/${id}?returned`, customer_email: null })
    expect(await guest.at(`${base}/pay/${id}?returned`)).to.show('Paid', 'Back to the document')
    await until(async () => (await it.row(id)).booking === 'booked')
    await it.settled()
    expect(await it.invoice(key.split('/')[1]!)).to.include({ state: 'paid', balance: '0.00' })
    expect((await guest.at(`${base}/pay/${id}/pdf`)).type).to.equal('application/pdf')
    expect(await guest.at(`${base}/pay`)).to.show('Nothing to pay')
    expect(await it.nadia.get(`/pay/${id}`)).to.show('Paid', late)
    expect(await it.admin.at('/settings/client-portal/payments')).to.show('Public link', late)
    expect(await it.admin.at(`/settings/client-portal/payments/${id}`)).to.show('Public link')
  })

  it('mails the receipt where the visitor wants it, once, and forgets the address', async () => {
    const it = await counter()
    const { guest, base, key } = await linkTo(it, late)
    expect(await guest.at(`${base}/pay?document=${key}`)).to.show('E-mail for the receipt (optional)')
    const refused = await guest.postAt(`${base}/pay`, { document: key, method: 'stripe', receipt: 'not an address' })
    expect(refused.status).to.equal(422)
    expect(refused).to.show('Enter an e-mail address, such as jo@example.com.', 'value="not an address"')
    const receipt = 'books@elsewhere.example'
    const { id, url } = await beginAs(it, guest, base, { document: key, receipt })
    expect((await it.scene.owner('portal.client_payments').where({ id }).first()).receipt_to).to.equal(receipt)
    await it.pay(url)
    const mail = await it.scene.mailTo(receipt, 'Receipt for your payment of €3,872.00 to Brightside Agency')
    expect(mail.text).to.include(late).and.include('21 Nov 2026').and.not.include('/link/').and.not.include('Nadia')
    await until(async () => (await it.row(id)).booking === 'booked')
    for (const event of it.bank.events()) await it.bank.webhooks.send(event.id)
    await it.settled()
    expect(it.scene.mails.filter(one => one.to === receipt)).to.have.length(1)
    expect((await it.scene.owner('portal.client_payments').where({ id }).first()).receipt_to).to.equal(null)
    // Whoever has an account is mailed there, whatever a form says.
    expect(await it.nadia.get('/pay')).to.not.show('E-mail for the receipt')
  })

  it('is of the link’s document alone, and shows nothing else of the client', async () => {
    const it = await counter()
    const { guest, base, key } = await linkTo(it, late)
    const other = await it.due(next)
    const hers = await it.begin(it.nadia, { document: key })
    expect(await guest.at(`${base}/pay?document=${key}`)).to.not.show('Nadia')
    for (const document of [other.key, 'invoices/1e9', 'proposals/1'])
      expect((await guest.postAt(`${base}/pay`, { document, method: 'stripe' })).status, document).to.equal(404)
    expect((await guest.postAt(`${base}/pay`, { document: [key, other.key], method: 'stripe' })).status).to.equal(404)
    for (const path of [hers.id, `${hers.id}/pdf`, 'x', '%00'])
      expect((await guest.at(`${base}/pay/${path}`)).status, path).to.equal(404)
    expect((await guest.postAt(`${base}/pay/${hers.id}/cancellation`)).status).to.equal(404)
    expect((await guest.at(`${base}/invoices`)).status).to.equal(404)
    const [nobody, elsewhere] = [await person(it.scene), await linkTo(it, next)]
    expect((await nobody.at(`${base}/pay`)).status).to.equal(404)
    const { id } = await beginAs(it, guest, base, { document: key, anyway: 'on' })
    expect((await elsewhere.guest.at(`${elsewhere.base}/pay/${id}`)).status).to.equal(404)
    expect((await elsewhere.guest.at(`${base}/pay/${id}`)).status).to.equal(404)
  })

  it('is warned of while a colleague is paying, without their name', async () => {
    const it = await counter()
    const { guest, base, key } = await linkTo(it, late)
    await it.begin(it.nadia, { document: key })
    const refused = await guest.postAt(`${base}/pay`, { document: key, method: 'stripe' })
    expect(refused.status).to.equal(409)
    expect(refused).to.show('Pay anyway').and.not.show('Nadia')
  })

  it('is not there where it is switched off, for what has nothing to pay, and after the link ended', async () => {
    const it = await counter()
    const { guest, page, base, key } = await linkTo(it, late)
    const offer = await linkTo(it, 'P-2026-031', 'proposals')
    expect((await offer.guest.at(`${offer.base}/pay`)).status).to.equal(404)
    const { id, url } = await beginAs(it, guest, base, { document: key })
    for (const name of ['pay.links', 'pay']) {
      await set(it, name, 'false')
      expect(await guest.at(page), name)
        .to.show(late)
        .and.not.show('Pay now')
      expect((await guest.at(`${base}/pay`)).status, name).to.equal(404)
      expect((await guest.postAt(`${base}/pay`, { document: key, method: 'stripe' })).status, name).to.equal(404)
      await it.scene.owner('portal.client_portal_settings').where({ name }).delete()
    }
    await it.scene
      .owner('portal.client_links')
      .where('document_id', key.split('/')[1])
      .update({ revoked_at: it.scene.now() })
    await it.pay(url)
    expect((await guest.at(`${base}/pay/${id}?returned`)).status).to.equal(404)
    await until(async () => (await it.row(id)).booking === 'booked')
  })

  it('asks for a code where the workspace asks for one, and is for those with an account where it asks for more', async () => {
    const it = await counter()
    const { guest, page, base, key } = await linkTo(it, late)
    await set(it, 'step-up.pay.pay', '"verification"')
    expect(await guest.postAt(`${base}/pay`, { document: key, method: 'stripe' })).to.show('code')
    expect(await it.scene.owner('portal.client_payments')).to.be.empty
    await it.scene
      .owner('portal.client_portal_settings')
      .where({ name: 'step-up.pay.pay' })
      .update({ value: '"second"' })
    expect(await guest.at(page)).to.not.show('Pay now')
    expect((await guest.at(`${base}/pay`)).status).to.equal(404)
  })

  it('leads nowhere that the visitor cannot go', async () => {
    const it = await counter()
    await it.payAll(next)
    await it.settled()
    for (const number of [late, next]) {
      const { guest, page, base, key } = await linkTo(it, number)
      const sent = await guest.postAt(`${base}/pay`, { document: key, method: 'transfer' })
      for (const address of [page, `${base}/pay`, sent.headers.location ?? `${base}/pay`]) {
        const { text } = await guest.at(address)
        const main = text.slice(text.indexOf('<main'), text.indexOf('</main>'))
        const linked = [...main.matchAll(/(?:href|src|action)="([^"#]+)"/g)].map(([, it]) =>
          it!.replaceAll('&amp;', '&'),
        )
        const own = linked.filter(it => it.startsWith('/') && !it.includes('/-/') && !it.includes('/logo/'))
        for (const it of own) expect(it, `on ${address}`).to.match(new RegExp(`^${base}/`))
        for (const it of own.filter(it => !it.endsWith('/cancellation')))
          expect((await guest.at(it)).status, `${it} on ${address}`).to.equal(200)
      }
    }
  })

  it('by transfer is announced, with the bank details, and can be cancelled', async () => {
    const it = await counter()
    const { guest, base, key } = await linkTo(it, late)
    const sent = await guest.postAt(`${base}/pay`, { document: key, method: 'transfer' })
    expect(sent.status).to.equal(303)
    const there = sent.headers.location!
    expect(there).to.match(new RegExp(`^${base}/pay/[\\w-]+$`))
    expect(await guest.at(there)).to.show('Transfer €3,872.00 from your bank', 'IBAN', 'Cancel this transfer')
    const [row] = await it.scene.owner('portal.client_payments')
    expect(row).to.include({ payer: '', state: 'started' })
    expect((await guest.postAt(`${there}/cancellation`)).status).to.equal(303)
    expect((await it.row(row.id)).state).to.equal('cancelled')
  })
})

/** A guest who opened a link to one of the owner's documents, and where its pages are. */
async function linkTo({ scene }: Counter, number: string, section = 'invoices') {
  const { id, path } = await share(scene, { section, number })
  const guest = await person(scene)
  const page = (await guest.get(path)).headers.location!
  return { guest, page, base: page.replace(`/${section}/${id}`, ''), key: `${section}/${id}` }
}

async function beginAs({ scene }: Counter, guest: Awaited<ReturnType<typeof person>>, base: string, form: object) {
  const sent = await guest.postAt(`${base}/pay`, { method: 'stripe', ...form })
  expect(sent.status, sent.text).to.equal(200)
  const url = /href="(http:\/\/127[^"]+)"/.exec(sent.text)![1]!
  const { id } = await scene.owner('portal.client_payments').where({ address: url }).first('id')
  return { id: String(id), url }
}

const set = ({ scene }: Counter, name: string, value: string) =>
  scene.owner('portal.client_portal_settings').insert({ workspace_id: '1', name, value, changed_by: 'a test' })
