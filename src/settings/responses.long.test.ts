import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { pastTriggers } from '../../test/past-triggers.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'
import { query } from '../platform/database.ts'
import { responsesPage } from './responses.ts'

const responses = '/settings/client-portal/responses'
const stroke = JSON.stringify([
  [
    [10, 20],
    [200, 150],
    [400, 20],
    [700, 250],
  ],
])

describe('responses, in the settings', () => {
  afterEach(leave)

  it('show who accepted what, when and for how much, with the signature, its PDF and its page in the CRM', async () => {
    const scene = await open()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    const id = await accept(owner, { how: 'drawn', strokes: stroke, order: 'AB-77', wished: '2026-12-05' })
    const [, which] = await until(async () => /responses\/([\w-]+)\/pdf/.exec((await admin.at(responses)).text))
    expect(await admin.at(responses)).to.show(
      ...['Accepted: <bdi>P-2026-031</bdi>', 'Winter campaign and shop relaunch', 'Nadia El-Khoury', 'Acme Bakery'],
      ...['21 Nov 2026', '<b class="num">€16,736.72</b>', 'Order number: AB-77', 'Preferred delivery date: 5 Dec 2026'],
      ...['aria-label="Signature of Nadia El-Khoury"><path d="M10 20Q', `href="/proposals/${id}"`],
    )
    const pdf = await admin.at(`${responses}/${which}/pdf`)
    expect(pdf.headers['content-type']).to.equal('application/pdf')
    expect(pdf.headers['content-disposition']).to.include('P-2026-031.pdf')
    const { sealed } = await scene.owner('portal.client_signatures').where({ id: which }).first('sealed')
    expect(pdf.body.equals(sealed)).to.equal(true)
    expect(await admin.at('/settings/client-portal/activity')).to.show('downloaded the signed PDF of P-2026-031')
    expect(await owner.get('/activity')).to.not.show('downloaded the signed PDF')
  })

  it('show why one was declined, as it was written, and each kind alone', async () => {
    const scene = await open()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    await decline(owner, 'Too much <b>for</b>\nthis year.')
    expect(await admin.at(`${responses}?show=declined`)).to.show(
      ...['Declined: <bdi>P-2026-031</bdi>', 'Too much &lt;b&gt;for&lt;/b&gt; this year.', '€16,736.72'],
      '<a href="/settings/client-portal/responses?show=declined" aria-current="true">',
    )
    for (const show of ['accepted', 'countersigned', 'waiting', 'refused'])
      expect(await admin.at(`${responses}?show=${show}`), show).to.show('No responses here', 'Show all responses')
    expect(await admin.at(`${responses}?show=nonsense`)).to.show('Declined: <bdi>P-2026-031')
  })

  it('show a typed name, and what was only ticked; and say where personal data was erased', async () => {
    const scene = await open()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    await accept(owner, { how: 'typed', typed: 'Nadia El-Khoury' })
    expect(await admin.at(responses)).to.show('Signature of Nadia El-Khoury:', '<bdi>Nadia El-Khoury</bdi></span>')
    await pastTriggers(scene.owner, it =>
      it('portal.client_signatures').update({
        evidence: null,
        salt: null,
        document: null,
        person_id: null,
        signer: '',
      }),
    )
    expect(await admin.at(responses))
      .to.show('The personal data of this response was erased.')
      .and.not.show('Nadia El-Khoury', '€16,736.72')
  })

  it('are of this workspace and for its admins alone, the PDF too', async () => {
    const scene = await open()
    const [owner, admin, colleague] = await Promise.all((['owner', 'admin', 'colleague'] as const).map(scene.visit))
    await accept(owner!, { how: 'typed', typed: 'Nadia El-Khoury' })
    const [, which] = await until(async () => /responses\/([\w-]+)\/pdf/.exec((await admin!.at(responses)).text))
    for (const path of ['', `/${which}/pdf`]) expect((await colleague!.at(responses + path)).status).to.equal(403)
    const theirs = '01990000-0000-7000-8000-000000000000'
    for (const id of [theirs, 'nonsense', `${which}x`])
      expect((await admin!.at(`${responses}/${id}/pdf`)).status, id).to.equal(404)
    // As if it were of another workspace.
    await pastTriggers(scene.owner, it => it('portal.client_signatures').update({ workspace_id: '2' }))
    expect((await admin!.at(`${responses}/${which}/pdf`)).status).to.equal(404)
    expect(await admin!.at(responses)).to.not.show('P-2026-031')
  })

  it('have no link where the adapter says nothing of the page, or something that is none', async () => {
    for (const pages of [undefined, () => 'javascript:alert(1)']) {
      const scene = await open()
      const other = await open({ on: scene, crm: { ...adapter(scene.database), pages } })
      const [owner, admin] = await Promise.all([other.visit('owner'), other.visit('admin')])
      await accept(owner, { how: 'typed', typed: 'Nadia El-Khoury' })
      expect(await admin.at(responses))
        .to.show('P-2026-031')
        .and.not.show('Open in the CRM', 'javascript:')
    }
  })

  it('are pages of 25, without a gap, each by an index, of 60,000', async () => {
    const scene = await open()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    await decline(owner, 'No.')
    await many(scene, 60_000)
    const seen = new Set<string>()
    let address = `${responses}?show=declined`
    for (let page = 0; page < 4; page++) {
      const { text } = await admin.at(address)
      const numbers = [...text.matchAll(/<bdi>(N-\d+|P-2026-031)<\/bdi>/g)].map(it => it[1]!)
      expect(numbers).to.have.length(25)
      for (const it of numbers) seen.add(it)
      address = /rel="next" href="([^"]+)"/.exec(text)![1]!.replaceAll('&amp;', '&')
    }
    expect(seen.size).to.equal(100)
    for (const show of ['all', 'accepted', 'declined', 'countersigned', 'waiting', 'refused'] as const) {
      const rows = await rowsRead(scene, show)
      expect(rows, show).to.be.at.most(200)
    }
  })
})

async function idOf(visitor: Visitor): Promise<string> {
  return (await visitor.api('/proposals?search=P-2026-031')).body.items[0].id
}

async function accept(visitor: Visitor, signature: object): Promise<string> {
  const id = await idOf(visitor)
  const { seen } = (await visitor.api(`/proposals/${id}/acceptance`)).body
  const { status } = await visitor.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', ...signature })
  expect(status).to.equal(303)
  return id
}

async function decline(visitor: Visitor, reason: string) {
  const id = await idOf(visitor)
  const { text } = await visitor.get(`/proposals/${id}/rejection`)
  const [, seen] = /name="seen"\s+value="([^"]*)"/.exec(text) ?? []
  expect((await visitor.post(`/proposals/${id}/rejection`, { seen, reason })).status).to.equal(303)
}

/** Copies of the one that there is: one in ten declined, a handful of the rarer kinds. */
async function many({ owner }: Scene, count: number) {
  await pastTriggers(owner, it =>
    it.raw(
      `insert into portal.client_signatures (workspace_id, id, sequence, at, act, section, document_id, version, number,
       client_id, signer, evidence, salt, digest, previous, hash, head_key, head_signature, state)
     select workspace_id, gen_random_uuid(), 100 + n, at,
       case when n % 10 = 0 then 'declined' when n = 5 then 'countersigned' else 'accepted' end, section, 'copy ' || n,
       version, 'N-' || n, client_id, signer, null, null, digest, previous, hash, head_key, head_signature,
       case when n = 7 then 'saved' when n = 9 then 'refused' else 'confirmed' end
     from portal.client_signatures, generate_series(1, ?) n where number = 'P-2026-031'`,
      [count],
    ),
  )
  await owner.raw('analyze portal.client_signatures')
}

/** How many signatures PostgreSQL reads for a page of them. */
async function rowsRead({ database }: Scene, show: Parameters<typeof responsesPage>[0]): Promise<number> {
  const text = responsesPage(show).text.replaceAll('scope.workspace', `'1'`).replaceAll('$3', '9007199254740991')
  const [{ 'QUERY PLAN': plan }] = await database.transaction(async tx => {
    await query(tx, { text: `select set_config('portal.workspace_id', '1', true)` })
    return query(tx, { text: `explain (analyze, format json) ${text}` })
  })
  const read = (node: any): number =>
    (node['Relation Name'] === 'client_signatures' || node['Index Name']
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0) + (node.Plans ?? []).reduce((sum: number, it: any) => sum + read(it), 0)
  return read(plan[0].Plan)
}
