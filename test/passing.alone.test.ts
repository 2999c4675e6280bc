import { expect } from 'chai'
import { map } from '../demo/adapter/map.ts'
import { faults } from '../src/evidence/chain.ts'
import { adapterOf, type CrmMap } from '../src/index.ts'
import { fresh } from './database.ts'
import { pastTriggers } from './past-triggers.ts'
import { serving } from './serving.ts'
import { until } from './until.ts'
import { leave, open, type Scene, type Visitor } from './visit.ts'

/** The evidence first, and the CRM afterwards: it is another database, or is told by its API. */
describe('an answer that is passed on', () => {
  afterEach(leave)

  it('to a CRM in another database says saved, and then that it is in the books; copies come after that', async () => {
    const { scene, crm } = await apart()
    const owner = await scene.visit('owner')
    const id = await sign(owner)

    expect((await settled(scene)).state).to.equal('confirmed')
    const row = await crm.owner('proposals').where({ id }).first()
    expect(row).to.include({ state: 'accepted', answered_by: 'Nadia El-Khoury', grand_total: '18648.52' })
    const chosen = await crm.owner('proposal_lines').where({ proposal_id: id, is_optional: true, is_chosen: true })
    expect(chosen.map(it => it.title)).to.deep.equal(['Short film, 30 seconds'])
    const copy = await scene.mailTo('nadia@acmebakery.example')
    expect(copy.subject).to.equal('P-2026-031: the signed copy')
    expect(copy.text).to.match(/You accepted “Winter[^”]+” for €[\d,.]+\. Your signed copy is attached\./)
    expect((await scene.owner('proposals').where({ id }).first('state')).state).to.equal('sent')
  })

  it('is tried again while the CRM takes nothing, waits for nobody, and shows to staff with the reason', async () => {
    const { scene, crm } = await apart()
    const [owner, approver, admin] = await Promise.all([
      scene.visit('owner'),
      scene.visit('approver'),
      scene.visit('admin'),
    ])
    await crm.owner.raw('revoke update (state) on proposals from portico_app')
    const id = await sign(owner)
    await until(async () => (await signature(scene)).failure_reason)

    expect(await owner.get(`/proposals/${id}`))
      .to.show('Accepted by Nadia El-Khoury.', 'on its way')
      .and.not.show('Accept and sign')
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show('Being sent to Brightside')
    expect((await approver.get(`/proposals/${id}/acceptance`)).status).to.equal(409)
    expect(await owner.get('/proposals?status=open')).to.show('Accepted, being submitted')
    const before = (await owner.get('/')).text
    expect(before).to.not.include('aria-label="Review: Winter campaign 2026"')
    expect(await owner.get('/')).to.show('Accepted by Nadia El-Khoury.', 'on its way to Brightside')
    const items = (await owner.api('/proposals?status=open')).body.items
    expect(items.find((it: any) => it.id === id).underway).to.equal('accepted')
    const page = await admin.at('/settings/client-portal/responses?show=waiting')
    expect(page).to.show('Being sent to the CRM', 'permission denied', 'Retry now')
    expect(scene.mails.filter(it => it.subject.includes('signed copy'))).to.deep.equal([])

    await crm.owner.raw('grant update (state) on proposals to portico_app')
    const { id: which } = await signature(scene)
    expect((await admin.postAt(`/settings/client-portal/responses/${which}/retry`)).status).to.equal(303)
    expect((await settled(scene)).state).to.equal('confirmed')
    expect((await admin.postAt(`/settings/client-portal/responses/${which}/retry`)).status).to.be.oneOf([303, 404])
  })

  it('of a client whose portal was switched off meanwhile arrives; the signer gets the copy, and no other mail', async () => {
    const { scene, crm } = await apart()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    await crm.owner.raw('revoke update (state) on proposals from portico_app')
    const id = await sign(owner)
    await owner.post(`/proposals/${id}/comments`, { text: 'When do you begin?' })
    await until(async () => (await signature(scene)).failure_reason)
    const { client_id, id: which } = await signature(scene)
    const client = `/settings/client-portal/people/clients/${client_id}/switch`
    expect((await admin.postAt(client, { was: 'on', portal: 'off' })).status).to.equal(303)
    scene.mails.length = 0

    const { text } = await admin.at('/settings/client-portal/questions')
    const question = /questions\/([\w-]+)\/reply/.exec(text)![1]
    await admin.postAt(`/settings/client-portal/questions/${question}/reply`, { text: 'On Monday.' })
    await crm.owner.raw('grant update (state) on proposals to portico_app')
    await admin.postAt(`/settings/client-portal/responses/${which}/retry`)
    expect((await settled(scene)).state).to.equal('confirmed')
    const copy = await scene.mailTo('nadia@acmebakery.example', 'P-2026-031: the signed copy')
    expect(copy.attachments).to.have.length(1)
    expect(copy.text).to.include('Your signed copy is attached.').and.not.include('https://crm.example')
    expect(scene.mails.filter(it => it.to.endsWith('acmebakery.example'))).to.have.length(1)
  })

  it('is one, also if its form is sent from two tabs at the same time', async () => {
    const { scene, crm } = await apart()
    const visitors = await Promise.all([scene.visit('owner'), scene.visit('owner')])
    await crm.owner.raw('revoke update (state) on proposals from portico_app')
    const forms = await Promise.all(visitors.map(it => acceptanceOf(it)))
    const answers = await Promise.all(visitors.map((it, at) => it.post(forms[at]!.path, forms[at]!.fields)))
    expect(answers.map(it => it.status)).to.deep.equal([303, 303])
    expect(await scene.owner('portal.client_signatures')).to.have.length(1)
  })

  it('is all in the CRM or not at all: a line that cannot be written leaves the status as it was', async () => {
    const { scene, crm } = await apart()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    await crm.owner.raw(`create function broken() returns trigger language plpgsql as $$ begin raise 'broken'; end $$`)
    await crm.owner.raw('create trigger broken before update on proposal_lines for each row execute function broken()')
    const id = await sign(owner)
    await until(async () => (await signature(scene)).failure_reason)
    expect((await crm.owner('proposals').where({ id }).first('state')).state).to.equal('sent')

    await crm.owner.raw('drop trigger broken on proposal_lines')
    await admin.postAt(`/settings/client-portal/responses/${(await signature(scene)).id}/retry`)
    expect((await settled(scene)).state).to.equal('confirmed')
    const chosen = await crm.owner('proposal_lines').where({ proposal_id: id, is_optional: true, is_chosen: true })
    expect(chosen.map(it => it.title)).to.deep.equal(['Short film, 30 seconds'])
  })

  it('is refused where the CRM holds something else by then than what was signed, at the same version', async () => {
    const { scene, crm } = await apart()
    const owner = await scene.visit('owner')
    await crm.owner.raw('revoke update (state) on proposals from portico_app')
    const id = await sign(owner)
    await until(async () => (await signature(scene)).failure_reason)
    await crm.owner('proposals').where({ id }).update({ terms: 'Other terms' })
    await crm.owner.raw('grant update (state) on proposals to portico_app')
    const { id: which } = await signature(scene)
    await (await scene.visit('admin')).postAt(`/settings/client-portal/responses/${which}/retry`)
    expect((await settled(scene)).state).to.equal('refused')
    expect(await crm.owner('proposals').where({ id }).first()).to.include({ state: 'sent', terms: 'Other terms' })
  })

  it('counts as confirmed if it had arrived, whatever the CRM changed afterwards', async () => {
    const { scene, crm } = await apart()
    const owner = await scene.visit('owner')
    const id = await sign(owner)
    const { id: which } = await settled(scene)
    // As if the process had died before it noted it.
    await pastTriggers(scene.owner, tx =>
      tx('portal.client_signatures').update({ state: 'submitting', settled_at: null }),
    )
    await crm.owner('proposals').where({ id }).update({ terms: 'Other terms' })
    await (await scene.visit('admin')).postAt(`/settings/client-portal/responses/${which}/retry`)
    expect((await settled(scene)).state).to.equal('confirmed')
  })

  it('is never given up: after the last try it is queued once more', async () => {
    const { scene, crm } = await apart()
    const owner = await scene.visit('owner')
    await crm.owner.raw('revoke update (state) on proposals from portico_app')
    await sign(owner)
    const jobs = () => scene.owner('portal_jobs.job').where({ name: 'submissions' })
    await until(() => jobs().where({ state: 'retry' }).first('id'))
    await jobs().update({ retry_count: scene.owner.ref('retry_limit'), start_after: new Date(0) })
    const { id } = await jobs().first('id')
    const later = await until(() => jobs().where({ state: 'created' }).whereNot({ id }).first('start_after'))
    expect(later.start_after).to.be.above(new Date(Date.now() + 3_000_000))
    expect((await signature(scene)).state).to.equal('submitting')
  })

  it('is rejected if it comes too late; the signer is told and can respond to the current version', async () => {
    const { scene, crm } = await apart()
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    await crm.owner.raw(`create function late() returns trigger language plpgsql as
      $$ begin if new.state = 'accepted' then return null; end if; return new; end $$`)
    await crm.owner.raw('create trigger late before update on proposals for each row execute function late()')
    await sign(owner)

    expect((await settled(scene)).state).to.equal('refused')
    expect(await owner.get(`/proposals/${id}`)).to.show('came too late', 'Accept and sign')
    const late = await scene.mailTo('nadia@acmebakery.example')
    expect(late.subject).to.include('came too late')
    expect(late.text).to.match(/You accepted “Winter[^”]+”, but Brightside.* changed it before that arrived/)
    expect(await scene.owner('portal.client_signatures').whereNotNull('sealed')).to.deep.equal([])
    await crm.owner.raw('drop trigger late on proposals')
    await sign(owner)
    await until(async () => (await scene.owner('portal.client_signatures').where({ state: 'confirmed' })).length)
    expect(await faults(scene.database, '1')).to.deep.equal([])
  })

  it('is retried at an API under the same key until the CRM takes it, then never again', async () => {
    const heard: { key: unknown; auth: unknown; body: any; url: unknown }[] = []
    const answers = [500, 0, 200]
    const api = await serving(async (request, body) => {
      heard.push({
        key: request.headers['idempotency-key'],
        auth: request.headers.authorization,
        url: request.url,
        body,
      })
      return answers.shift() ?? 200
    })
    process.env.TEST_CRM_KEY = 'the key'
    const called = withAnswers({
      accepted: {
        call: {
          url: `${api.url}/offers/{id}/acceptance`,
          headers: { Authorization: 'bearer {env TEST_CRM_KEY}' },
          body: { offer: '{id}', by: '{name}', at: '{time}', po: '{order number}' },
          numericIds: true,
        },
      },
    })
    const scene = await open({ mail: 'kept', ...(await crmOf(called)) })
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    const id = await sign(owner, { order: 'PO "7"' })
    let tried = 0
    await until(async () => {
      const { id: which, settled_at, attempts, failure_reason: reason } = await signature(scene)
      if (!settled_at && reason && attempts > tried) {
        tried = attempts
        await admin.postAt(`/settings/client-portal/responses/${which}/retry`)
      }
      return settled_at
    }, 40)

    expect((await settled(scene)).state).to.equal('confirmed')
    expect(heard).to.have.length(3)
    expect(new Set(heard.map(it => it.key)).size).to.equal(1)
    expect(heard[2]).to.deep.include({ url: `/offers/${id}/acceptance`, auth: 'bearer the key' })
    expect(heard[2]?.body).to.deep.include({ offer: Number(id), by: 'Nadia El-Khoury', po: 'PO "7"' })
    await api.close()
  })

  it('by an API that has taken it without our having heard of it is not told twice', async () => {
    let scene!: Scene
    let calls = 0
    const run = async (id: string) => {
      calls++
      await scene.owner('proposals').where({ id }).update({ state: 'accepted' })
      throw new Error('the line broke')
    }
    scene = await open({ mail: 'kept', ...(await crmOf(withAnswers({ accepted: { run } }))) })
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    await sign(owner)
    await until(async () => (await signature(scene)).failure_reason)
    await admin.postAt(`/settings/client-portal/responses/${(await signature(scene)).id}/retry`)

    expect((await settled(scene)).state).to.equal('confirmed')
    expect(calls).to.equal(1)
  })

  it('by an API that says it is too late is refused', async () => {
    const api = await serving(async () => 409)
    const scene = await open({
      mail: 'kept',
      ...(await crmOf(withAnswers({ accepted: { call: { url: api.url } }, declined: { call: { url: api.url } } }))),
    })
    const owner = await scene.visit('owner')
    await sign(owner)
    expect((await settled(scene)).state).to.equal('refused')
    await api.close()
  })

  it('is not offered while the map has it switched off, and its role may not write', async () => {
    const off = structuredClone(map)
    off.proposals!.responses!.off = true
    const scene = await open(await crmOf(off))
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items

    expect(await owner.get(`/proposals/${id}`)).to.not.show('Accept and sign')
    expect((await owner.get(`/proposals/${id}/acceptance`)).status).to.equal(404)
    expect(adapterOf(off, scene.database).writes).to.not.have.property('proposals')
  })
})

/** Portico’s tables in one database, and the CRM in another. */
async function apart() {
  const crm = await fresh()
  const scene = await open({ mail: 'kept', crm: adapterOf(map, crm.database) })
  return { scene, crm }
}

const withAnswers = (answers: NonNullable<CrmMap['proposals']>['responses']): CrmMap => ({
  ...map,
  proposals: { ...map.proposals!, responses: answers },
})

/** The map on the same database. */
async function crmOf(its: CrmMap) {
  const on = await fresh()
  return { on, crm: adapterOf(its, on.database) }
}

/** With the film instead of the banners, where there is a choice. */
async function acceptanceOf(visitor: Visitor) {
  const [{ id }] = (await visitor.api('/proposals?search=P-2026-031')).body.items
  const { proposal } = (await visitor.api(`/proposals/${id}`)).body
  const film = proposal.lines.find((it: any) => it.optional && !it.chosen).id
  const selection: Record<string, string> = film ? { options: '1', option: film } : {}
  const { seen } = (await visitor.api(`/proposals/${id}/acceptance?${new URLSearchParams(selection)}`)).body
  const fields = { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury', ...selection }
  return { id, path: `/proposals/${id}/acceptance`, fields }
}

async function sign(visitor: Visitor, more: object = {}): Promise<string> {
  const { id, path, fields } = await acceptanceOf(visitor)
  const { status } = await visitor.post(path, { ...fields, ...more })
  expect(status).to.equal(303)
  return id
}

const signature = (scene: Scene) => scene.owner('portal.client_signatures').orderBy('sequence', 'desc').first()

const settled = (scene: Scene) =>
  until(async () => {
    const row = await signature(scene)
    return row.settled_at && row
  })
