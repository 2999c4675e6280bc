import { expect } from 'chai'
import { writingMap } from '../../demo/adapter/map.ts'
import { adapterOf, type CrmMap } from '../../src/index.ts'
import { type Copy, fresh } from '../../test/database.ts'
import { openTelling, type Telling } from '../../test/notifications.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

const today = '2026-11-21'

/** An invoice in the CRM, for the first client unless it is said otherwise. */
const invoice = async ({ owner }: Pick<Copy, 'owner'>, ref_no: string, more: object = {}): Promise<string> => {
  const [row] = await owner('invoices')
    .insert({
      ...{ workspace_id: 1, client_id: 1, ref_no, subject: 'Hosting', state: 'sent', currency_code: 'EUR' },
      ...{ issued_on: today, due_on: '2026-12-15', net_total: 100, tax_total: 21, grand_total: 121, balance: 121 },
      ...more,
    })
    .returning('id')
  return String(row.id)
}

const paid = { state: 'paid', amount_paid: 121, balance: 0 }

/** What each person was told, by address. */
async function told({ owner }: Telling): Promise<string[]> {
  const rows = await owner('portal.client_notifications as n')
    .join('portal.client_users as u', 'u.id', 'n.person_id')
    .select('u.email', 'n.kind', owner.raw(`n.facts->>'number' as number`))
    .orderBy(['n.id'])
  return rows.map(it => `${it.email.split('@')[0]} ${it.kind} ${it.number}`)
}

const toNadia = async (scene: Telling) => (await told(scene)).filter(it => it.startsWith('nadia '))

/** The map with the column that says when a row was changed, on a copy that has an index on it. */
async function openMapped(): Promise<Telling> {
  const on = await fresh()
  await on.owner.raw('create index on public.invoices (modified, id)')
  const { user } = on.database.client.config.connection
  await on.owner.raw('grant select (modified) on public.invoices to ??', [user])
  const map = { ...writingMap, invoices: { ...writingMap.invoices!, changedOn: 'modified' } } as CrmMap
  return openTelling({ on, crm: adapterOf(map, on.database), mail: 'kept' })
}

describe('what the CRM does', () => {
  afterEach(leave)

  it('is told when the CRM says so, once, to those who may see it', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const id = await invoice(scene, '2026-9001')
    const named = { workspace: 'brightside', section: 'invoices', client: '1', id }
    for (const it of [named, named, { ...named, client: '2' }, { ...named, id: 'nonsense' }])
      await scene.portal.tell(it)
    await until(async () => (await toNadia(scene)).length)
    await Promise.all([1, 2, 3].map(() => scene.perform('changes.look', named)))
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9001'])
    expect((await told(scene)).filter(it => it.startsWith('declan'))).to.be.empty

    const mail = await scene.mailTo('nadia@acmebakery.example', 'New invoice 2026-9001 for €121.00')
    expect(mail.text).to.include(`/invoices/${id}?client=1`).and.include('Due on 15 Dec 2026')
    expect(await scene.portal.tell({ ...named, section: 'nonsense' }).catch(it => it)).to.be.instanceOf(TypeError)
    await scene.portal.tell({ ...named, workspace: 'nowhere' })
  })

  it('is not told of drafts, of what is old, and of what is paid unless it was told of', async () => {
    const scene = await openTelling()
    const look = (id: string) => scene.perform('changes.look', { section: 'invoices', client: '1', id })
    await look(await invoice(scene, '2026-9001', { state: 'draft' }))
    await look(await invoice(scene, '2026-9002', { issued_on: '2026-11-01' }))
    await look(await invoice(scene, '2026-9003', paid))
    expect(await told(scene)).to.be.empty

    const id = await invoice(scene, '2026-9004')
    await look(id)
    await scene.owner('invoices').where({ id }).update(paid)
    await look(id)
    await look(id)
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9004', 'nadia invoices.paid 2026-9004'])
  })

  it('is found by looking at the newest of each client, where the CRM does not say what changed', async () => {
    const scene = await openTelling()
    const poll = async (rounds: number) => {
      for (let at = 0; at < rounds; at++) await scene.perform('changes.poll')
    }
    await poll(12)
    expect(await told(scene)).to.be.empty
    await invoice(scene, '2026-9001')
    await invoice(scene, '2026-9002', { client_id: 2 })
    await poll(12)
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9001'])
    expect(await told(scene)).to.include('declan invoices.sent 2026-9002')
  })

  it('is found by when rows were changed, and nothing that was there at first', async () => {
    const scene = await openMapped()
    const poll = () => scene.perform('changes.poll')
    await invoice(scene, '2026-9000')
    await poll()
    expect((await told(scene)).filter(it => it.includes('invoices.'))).to.be.empty

    const id = await invoice(scene, '2026-9001')
    await Promise.all([poll(), poll(), poll()])
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9001'])
    await scene.owner('invoices').where({ id }).update(paid)
    await poll()
    expect(await toNadia(scene)).to.include('nadia invoices.paid 2026-9001')
  })

  it('tells what was committed late, behind the mark', async () => {
    const scene = await openMapped()
    await scene.perform('changes.poll')
    await scene.pass(3)
    const slow = await scene.owner.transaction()
    await slow('invoices').insert({
      ...{ workspace_id: 1, client_id: 1, ref_no: '2026-9001', subject: 'Slow', state: 'sent', currency_code: 'EUR' },
      ...{ issued_on: today, due_on: '2026-12-15', net_total: 100, tax_total: 21, grand_total: 121, balance: 121 },
    })
    await invoice(scene, '2026-9002')
    await scene.perform('changes.poll')
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9002'])
    await slow.commit()
    await scene.perform('changes.poll')
    expect(await toNadia(scene)).to.include('nadia invoices.sent 2026-9001')
  })

  it('floods nobody after a mass change, a restored database or a clock that was set back', async () => {
    const scene = await openMapped()
    const poll = () => scene.perform('changes.poll')
    await poll()
    // Some 5,000 of the busy client, and all others.
    await scene
      .owner('invoices')
      .update({ remarks: 'Touched', issued_on: today, due_on: '2026-12-15' })
      .where('state', 'sent')
    await scene.owner('invoices').update({ remarks: 'Touched' })
    await poll()
    const afterwards = (await told(scene)).length
    expect(afterwards).to.be.below(1_100)
    await poll()
    expect((await told(scene)).length).to.equal(afterwards)

    await scene.owner.raw('alter table invoices disable trigger invoices_modified')
    await scene.owner('invoices').update({ modified: '2026-01-01' })
    await scene.owner.raw('alter table invoices enable trigger invoices_modified')
    await poll()
    expect((await told(scene)).length).to.equal(afterwards)
    await invoice(scene, '2026-9009')
    await poll()
    expect(await toNadia(scene)).to.include('nadia invoices.sent 2026-9009')
  })

  it('mails one person at most ten of a kind in an hour, and the rest is behind the bell', async () => {
    const scene = await openMapped()
    await scene.perform('changes.poll')
    for (let at = 10; at < 40; at++) await invoice(scene, `2026-90${at}`)
    await scene.perform('changes.poll')
    expect((await toNadia(scene)).filter(it => it.includes('invoices.sent'))).to.have.length(30)
    const mails = await scene.owner('portal.client_outbox').where({ recipient: 'nadia@acmebakery.example' })
    expect(mails.filter(it => it.kind === 'notifications.notice')).to.have.length(10)
  })

  it('is not asked for while nothing listens, and waits while the CRM is away', async () => {
    const scene = await openMapped()
    await scene.perform('changes.poll')
    await invoice(scene, '2026-9001')
    await scene.owner.raw('alter table public.invoices rename to invoices_away')
    await scene.perform('changes.poll')
    await scene.owner.raw('alter table public.invoices_away rename to invoices')
    await until(async () => {
      await scene.perform('changes.poll')
      return (await toNadia(scene)).length
    })
    expect(await toNadia(scene)).to.deep.equal(['nadia invoices.sent 2026-9001'])
  })
})
