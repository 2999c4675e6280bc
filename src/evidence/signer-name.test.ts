import { expect } from 'chai'
import { leave, open, type Visitor } from '../../test/visit.ts'
import { fitsName } from './signer-name.ts'

describe('a typed signature', () => {
  afterEach(leave)

  it('matches a name regardless of case, accents, spaces and initials', () => {
    for (const [typed, name] of [
      ['Nadia El-Khoury', 'Nadia El-Khoury'],
      ['N. El-Khoury', 'Nadia El-Khoury'],
      ['n el khoury', 'Nadia El-Khoury'],
      ['  NADIA   ELKHOURY ', 'Nadia El-Khoury'],
      ['El-Khoury, Nadia', 'Nadia El-Khoury'],
      ['Khoury Nadia El', 'Nadia El-Khoury'],
      ['José Núñez', 'Jose Nunez'],
      ['Jose Nunez', 'José Núñez'],
      ['J. M. Núñez', 'José María Núñez'],
      ['José Núñez', 'José María Núñez'],
      ['Soren Lovgard', 'Søren Løvgård'],
      ['Weiss', 'Weiß'],
      ['王小明', '王小明'],
    ] as const)
      expect(fitsName(typed, name), `${typed} as ${name}`).to.equal(true)
    for (const [typed, name] of [
      ['', 'Nadia El-Khoury'],
      ['N', 'Nadia El-Khoury'],
      ['N. E.', 'Nadia El-Khoury'],
      ['Nadia', 'Nadia El-Khoury'],
      ['El-Khoury', 'Nadia El-Khoury'],
      ['M. El-Khoury', 'Nadia El-Khoury'],
      ['Mickey Mouse', 'Nadia El-Khoury'],
      ['Nаdia El-Khoury', 'Nadia El-Khoury'],
      ['I do not agree', 'Nadia El-Khoury'],
      ['María Núñez', 'José María Núñez'],
      ['王大明', '王小明'],
      ['-', '…'],
    ] as const)
      expect(fitsName(typed, name), `${typed} as ${name}`).to.equal(false)
  })

  it('of another name is confirmed as such, and evidence and certificate say so', async () => {
    const scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const { id, form } = await formOf(owner)
    const address = `/proposals/${id}/acceptance`
    const other = { ...form, typed: 'Mickey <Mouse>', order: 'AB 7' }
    const refused = await owner.post(address, other)
    expect(refused.status).to.equal(422)
    expect(refused).to.show(
      'This is not the name of this account.',
      'I sign as Mickey &lt;Mouse&gt;, which is not the name of this account.',
      'value="Mickey &lt;Mouse&gt;"',
      'value="AB 7"',
    )
    // What was confirmed is that name and no other.
    for (const confirmed of ['on', 'Mickey', ''])
      expect((await owner.post(address, { ...other, confirmed })).status, confirmed).to.equal(422)
    expect(await scene.owner('portal.client_signatures')).to.be.empty

    expect((await owner.post(address, { ...other, confirmed: 'Mickey <Mouse>' })).status).to.equal(303)
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show(
      'Mickey &lt;Mouse&gt;',
      'typed, and confirmed as another name than that of the account',
    )
    expect((await owner.api(`/proposals/${id}/evidence`)).body.evidence.signature).to.deep.equal({
      method: 'typed',
      name: 'confirmed',
    })
    const { attachments } = await scene.mailTo('nadia@acmebakery.example', 'P-2026-031: the signed copy')
    const { extractText } = await import('unpdf')
    const pdf = new Uint8Array(Buffer.from(attachments![0]!.content, 'base64'))
    const { text } = await extractText(pdf, { mergePages: true })
    expect(text.replace(/\s+/g, ' ')).to.include('confirmed by the signer as another name than that of the account')
  })

  it('of the name of the account needs no more, and the evidence says that too', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const { id, form } = await formOf(owner)
    const address = `/portal/brightside/api/v1/proposals/${id}/acceptance`
    const wrong = await owner.agent.post(address).send({ ...form, typed: 'N' })
    expect([wrong.status, Object.keys(wrong.body.errors)]).to.deep.equal([422, ['typed']])
    expect((await owner.agent.post(address).send({ ...form, typed: 'n. el khoury' })).status).to.equal(303)
    const [{ evidence }] = await scene.owner('portal.client_signatures').select('evidence')
    expect(JSON.parse(evidence).signature).to.deep.equal({ method: 'typed', text: 'n. el khoury', name: 'account' })
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show('typed, the name of the account')
  })
})

async function formOf(owner: Visitor) {
  const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
  const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
  return { id: id as string, form: { seen: seen as string, agree: 'on', how: 'typed' } }
}
