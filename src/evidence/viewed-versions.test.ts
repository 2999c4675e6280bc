import { expect } from 'chai'
import { leave, open, type Scene } from '../../test/visit.ts'

describe('what has changed since a client looked', () => {
  afterEach(leave)

  const idOf = async ({ owner }: Scene) =>
    (await owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')).id as number
  const kept = ({ owner }: Scene) => owner('portal.client_viewed_versions').orderBy('at')

  it('shows both versions, to this client only', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(scene)
    expect(await owner.get(`/proposals/${id}`)).to.not.show('Changed since you last viewed it')
    await scene
      .owner('proposal_lines')
      .where({ proposal_id: id, position: 1 })
      .update({ title: 'Ordering for resellers' })
    await scene.owner('proposals').where({ id }).update({ version: 3, terms: 'All on <acceptance>.' })

    for (const visitor of [approver, owner])
      expect(await visitor.get(`/proposals/${id}`)).to.show(
        'Changed since you last viewed it',
        'Version 2 was first opened on 21 Nov 2026',
        'This is version 3.',
        '3 changes',
        'Ordering for wholesale customers',
        'All on &lt;acceptance&gt;.',
        'Version 2 first opened',
      )
    const { since } = (await owner.api(`/proposals/${id}`)).body
    expect(since.changes.map((it: any) => it.what)).to.deep.equal(['version', 'terms', 'line'])
    expect(await kept(scene)).to.have.length(2)

    await scene.owner('proposals').where({ id }).update({ client_id: 2 })
    const neighbour = await scene.visit('neighbour')
    expect(await neighbour.get(`/proposals/${id}`))
      .to.include({ status: 200 })
      .and.not.show('Changed since you last viewed it', 'first opened')
  })

  it('is found even if the CRM keeps the version number, against the previous wording', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    const called = (title: string) => scene.owner('proposals').where({ id }).update({ title })
    const look = () => owner.get(`/proposals/${id}`)
    await look()
    await called('Second')
    expect(await look()).to.show('It has changed since it was first opened on 21 Nov 2026', '<ins>Second</ins>')
    await called('Third')
    expect(await look())
      .to.show('<del class="soft">Second</del>', '<ins>Third</ins>')
      .and.not.show('Winter campaign and shop relaunch')
  })

  it('stores each wording once, also for concurrent views, and not for a selection', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(scene)
    await Promise.all([owner, approver, owner, approver].map(it => it.get(`/proposals/${id}`)))
    await owner.get(`/proposals/${id}?options=1`)
    expect((await kept(scene)).map(it => [it.client_id, it.section, it.version])).to.deep.equal([['1', 'proposals', 2]])
  })

  it('is not told of what has been answered or is over', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    await owner.get(`/proposals/${id}`)
    for (const change of [{ state: 'withdrawn' }, { state: 'sent', valid_until: '2026-11-01' }]) {
      await scene
        .owner('proposals')
        .where({ id })
        .update({ title: 'Another', ...change })
      expect(await owner.get(`/proposals/${id}`))
        .to.include({ status: 200 })
        .and.not.show('Changed since you last viewed it')
    }
    expect(await kept(scene)).to.have.length(1)
  })
})
