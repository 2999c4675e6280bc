import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { documentsContract } from '../../../plugins/documents/contract.ts'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { quotationsContract } from '../../../plugins/quotations/contract.ts'
import { everyPage } from '../../../src/crm/contract.ts'
import { adapterOf, Conflict, NotFound } from '../../../src/index.ts'
import { serving } from '../../../test/serving.ts'
import { customerOf, fixture } from '../fixture.ts'
import map from './crm.map.ts'

describe('AlgaPSA by its map', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-alga-'))
  const alga = fixture('alga-psa', { ...map, documents: { ...map.documents!, under: folder } as never })
  before(() => {
    mkdirSync(join(folder, 'tenant'))
    writeFileSync(join(folder, 'tenant', 'report.pdf'), '%PDF-1.7 a report')
  })
  after(() => rmSync(folder, { recursive: true }))
  const [tenant, client, other] = [key('tenant', 1), key('client', 1), key('client', 2)]
  const mine = customerOf(tenant, client)
  const actors = async () => ({ crm: alga.crm(), mine, theirs: customerOf(tenant, other) })

  quotationsContract(actors)
  invoicesContract(actors)
  paymentsContract(actors)
  documentsContract(actors)

  it('reads whole cents, and what a discount takes off below zero', async () => {
    const { quotations, invoices } = alga.crm().connect(mine)
    const [found] = (await quotations!.list({ sort: 'newest', search: 'QUO-0003', size: 1 })).items
    const quotation = await quotations!.find(found!.id)
    expect(quotation.lines.map(it => [it.title, it.total.amount, it.optional, it.chosen])).to.deep.equal([
      ['Support hour', '400.00', false, true],
      ['Firewall', '100.00', true, true],
      ['Second firewall', '100.00', true, false],
      ['Introductory discount', '-50.00', false, true],
    ])
    expect(quotation.sums).to.deep.include({
      net: { amount: '450.00', currency: 'EUR' },
      taxes: [{ percent: null, amount: { amount: '94.50', currency: 'EUR' } }],
      discount: null,
    })
    const [invoice] = (await invoices!.list({ sort: 'newest', search: 'INV-000001', size: 1 })).items
    expect((await invoices!.find(invoice!.id)).lines.map(it => [it.quantity, it.price.amount])).to.deep.equal([
      ['1.5', '80'],
      ['1', '-20'],
    ])
  })

  it('takes off credit, and lists a credit note with nothing left of it', async () => {
    const { invoices } = alga.crm().connect(mine)
    const invoice = await invoices!.find(key('invoice', 4))
    expect(invoice.balance.amount).to.equal('100.00')
    expect(invoice.creditNotes).to.deep.equal([
      {
        number: 'CM-000001',
        on: '2025-10-20',
        reason: 'Applied credit to invoice INV-000004',
        amount: { amount: '21.00', currency: 'EUR' },
      },
    ])
    const note = await invoices!.find(key('invoice', 50))
    expect([note.total.amount, note.balance.amount, note.status]).to.deep.equal(['-21.00', '0.00', 'paid'])
  })

  it('shows files and texts that are visible, once each, of the client, its tickets, contracts and tasks', async () => {
    const { documents } = alga.crm().connect(mine)
    const items = await everyPage(documents!, { sort: 'name' })
    const texts = items.filter(it => it.type === 'text/plain')
    expect(items.filter(it => it.name === 'Note 1')).to.have.length(1)
    expect(items.map(it => it.name)).to.not.include.members(['Note 3', 'Note 7'])
    expect(items.some(it => /10/.test(it.name))).to.equal(false)
    expect(items.find(it => it.folder)?.folder?.name).to.be.oneOf(['Contracts', 'Reports'])
    expect((await buffer(await (await documents!.content(texts[0]!.id)).open())).toString()).to.equal('Hello')
  })

  it('shows no draft, no template, and nothing before it is approved and sent', async () => {
    const { quotations, invoices } = alga.crm().connect(mine)
    const hidden = alga.owner()('quotes').whereNull('sent_at').pluck('quote_id')
    const drafts = alga.owner()('invoices').whereNull('finalized_at').pluck('invoice_id')
    const found = [
      ...(await hidden).map(id => quotations!.find(id).catch(error => error)),
      ...(await drafts).map(id => invoices!.find(id).catch(error => error)),
    ]
    expect(found).to.have.length.above(8)
    for (const it of await Promise.all(found)) expect(it).to.be.instanceOf(NotFound)
  })

  it('finds the tenant with its own address, those who can be invited, and no tenant that is suspended', async () => {
    const { directory } = alga.crm()
    const workspace = (await directory.workspace('harbour-it'))!
    expect(workspace.letterhead.slice(0, 3)).to.deep.equal(['Harbour IT', 'Pier 7', '1013 EF Amsterdam'])
    expect(await directory.workspace('gone-co')).to.equal(undefined)
    expect((await directory.contacts(workspace, client)).map(it => it.name)).to.deep.equal(['Ada Spoke'])
    expect((await directory.client(workspace, client))?.address).to.deep.equal([
      'Canal Bikes',
      'Canal 1',
      '1015 CD Amsterdam',
    ])
    expect(await directory.client(workspace, key('client', 3))).to.equal(undefined)
  })

  it('accepts and declines by its API, with a key of its own, and not when it is too late', async () => {
    const api = algaApi(alga)
    const server = await serving(api.answer)
    Object.assign(process.env, { ALGA_URL: server.url, ALGA_API_KEY: 'a key of AlgaPSA' })
    const quotations = { ...map.quotations!, responses: { ...map.quotations!.responses!, off: false } }
    const port = adapterOf({ ...map, quotations }, alga.database()).connect(mine).quotations!
    const [first, second, third] = (await port.list({ sort: 'newest', status: 'open', size: 3 })).items
    await port.submit!(first!.id, { ...response, orderNumber: 'PO-1' })
    await port.submit!(first!.id, { ...response, orderNumber: 'PO-1' })
    await port.submit!(second!.id, { ...response, act: 'declined', reason: 'Too <b>dear</b>' })

    expect(api.heard).to.deep.equal([
      `PUT /api/v1/quotes/${first!.id} {"status":"accepted","po_number":"PO-1"} a key of AlgaPSA`,
      `PUT /api/v1/quotes/${second!.id} {"status":"rejected"} a key of AlgaPSA`,
    ])
    expect((await port.find(first!.id)).status).to.equal('accepted')
    expect((await port.find(second!.id)).status).to.equal('declined')
    api.refuseWith(409)
    expect(await port.submit!(third!.id, response).catch(error => error)).to.be.instanceOf(Conflict)
    api.refuseWith(404)
    expect(await port.submit!(third!.id, response).catch(error => error)).not.to.be.instanceOf(Conflict)
    await server.close()
    for (const it of ['ALGA_URL', 'ALGA_API_KEY']) delete process.env[it]
  })

  it('leaves the database as it was, from migrating to taking away', alga.untouched)
})

const response = {
  ...{ key: 'k', act: 'accepted' as 'accepted' | 'declined', version: 1, at: new Date('2026-11-21T08:00:00Z') },
  ...{ on: '2026-11-21', by: { name: 'Ada Spoke', email: 'ada@canal.example', contact: null } },
  ...{ reason: null as string | null, orderNumber: null as string | null, requestedOn: null, selection: null },
}

/** Answers as `ApiQuoteController.update` does: only a sent quote may be accepted or rejected. */
function algaApi(alga: ReturnType<typeof fixture>) {
  const heard: string[] = []
  let refusal = 0
  const answer = async (request: IncomingMessage, body: any) => {
    if (refusal) return refusal
    heard.push(`${request.method} ${request.url} ${JSON.stringify(body)} ${request.headers['x-api-key']}`)
    const quote = alga
      .owner()('quotes')
      .where({ quote_id: request.url?.split('/').at(-1), status: 'sent' })
    const accepted = body.status === 'accepted' ? { accepted_at: '2026-11-21T08:00:00Z' } : {}
    return (await quote.update({ ...body, ...accepted })) ? 200 : 409
  }
  return {
    heard,
    answer,
    refuseWith(status: number) {
      refusal = status
    },
  }
}

/** As the fixture's function of this name. */
function key(kind: string, n: number): string {
  const hash = createHash('md5').update(`${kind}${n}`).digest('hex')
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
