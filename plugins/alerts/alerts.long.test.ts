// @adapter code: the demo’s map names no admins.
import { expect } from 'chai'
import { sections } from '../../src/plugin/discover.ts'
import { hurry, lookNow, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'

const area = '/settings/client-portal/alerts'
const office = 'security@brightside.example'
const numbers = { failures: 5, foreign: 6, exports: 10 }

describe('alerts', function () {
  this.timeout(60_000)
  afterEach(leave)

  const choose = async (scene: Scene, chosen: object = {}) => {
    const admin = await scene.visit('admin')
    const row = await scene.owner('portal.client_alert_rules').first('revision')
    return admin.postAt(area, { 'was.revision': row?.revision ?? 0, ...numbers, addresses: office, ...chosen })
  }
  const guess = async (visitor: Visitor, times: number) => {
    for (let at = 0; at < times; at++)
      await visitor.post('/sign-in', { email: `who${at}@else.where`, password: `guess ${at}` })
  }
  const probe = async (visitor: Visitor, times: number) => {
    for (let at = 0; at < times; at++) await visitor.get(`/invoices/${900_000 + at}`)
  }
  const alerts = (scene: Scene) => scene.owner('portal.client_alerts').orderBy('id')
  const queued = (scene: Scene) => scene.owner('portal.client_outbox').whereLike('kind', 'alerts.%')
  const waiting = (scene: Scene) => scene.owner('portal.client_alert_queue')
  const look = (scene: Scene) => lookNow(scene.owner, 'alerts.mail')
  /** As if it had been raised. */
  const raise = async (scene: Scene, kind: keyof typeof numbers, facts: object) => {
    const common = { workspace_id: '1', kind }
    const all = { times: 20, minutes: 10, since: scene.now().toISOString(), ...facts }
    const [row] = await scene
      .owner('portal.client_alerts')
      .insert({ ...common, facts: all })
      .returning('id')
    await scene.owner('portal.client_alert_queue').insert({ ...common, alert_id: row.id })
  }

  it('are raised from the number on that the workspace set, on every instance, without a restart', async () => {
    const one = await open()
    const two = await open({ on: one })
    const nobody = await two.visit()
    await guess(nobody, 4)
    expect((await choose(one)).status).to.equal(303)
    await guess(nobody, 5)
    const [alert, ...more] = await until(async () => (await alerts(one)).length && alerts(one))
    expect(more).to.deep.equal([])
    expect(alert.facts).to.deep.include({ times: 5, minutes: 10, address: '127.0.0.1' })
    const [entry] = await one.owner('portal.client_activity_logs').where({ event: 'alerts.failures' })
    expect(entry).to.include({ actor_kind: 'system', client_id: null, address: null })
    expect(entry.subject).to.deep.equal({ id: alert.id, ...alert.facts })
    expect(JSON.stringify(entry.subject)).to.not.include('@')
  })

  it('are sent by webhooks', async function () {
    if (!sections.some(it => it.name === 'webhooks')) this.skip()
    const scene = await open({ address: 'http://localhost/portal' })
    const admin = await scene.visit('admin')
    const hook = { title: 'SIEM', url: 'http://localhost:9/', events: ['alerts.*'] }
    expect((await admin.postAt('/settings/client-portal/webhooks', hook)).status).to.equal(200)
    await choose(scene)
    await probe(await scene.visit('owner'), 6)
    const [it] = await until(async () => {
      const rows = await scene.owner('portal.client_webhook_deliveries').where({ event: 'alerts.foreign' })
      return rows.length && rows
    })
    expect(it).to.include({ event: 'alerts.foreign' })
  })

  it('are listed in plain words, page by page, to admins of their workspace', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    expect(await admin.at(area)).to.show('No alerts in the last 90 days', 'value="20"', 'value="100"')
    for (let at = 0; at < 25; at++) await raise(scene, 'failures', { address: `203.0.113.${at}` })
    const first = await admin.at(area)
    expect(first).to.show('20 failed sign-ins in 10 minutes, from', '203.0.113.24', '203.0.113.5<')
    expect(first.text).to.not.include('203.0.113.4<')
    const [, next = ''] = /href="([^"]*before=\d+)"/.exec(first.text) ?? []
    const second = await admin.at(next)
    expect(second).to.show('Earlier alerts', '203.0.113.4<', '203.0.113.0<')
    expect(second.text).to.not.include('203.0.113.5<').and.not.include('before=')
    expect((await admin.at(`${area}?before=nonsense`)).status).to.equal(200)
    expect((await (await scene.visit('colleague')).at(area)).status).to.equal(403)
  })

  it('keep what was typed and refuse what is out of bounds, and log before and after', async () => {
    const scene = await open()
    for (const [typed, sentence] of [
      [{ failures: 4 }, 'Enter a whole number within these limits.'],
      [{ foreign: 1_001 }, 'Enter a whole number within these limits.'],
      [{ exports: '10.5' }, 'Enter a whole number within these limits.'],
      [{ addresses: 'nobody' }, 'One of these is not a valid e-mail address.'],
      [{ addresses: Array.from({ length: 21 }, (_, at) => `a${at}@b.example`).join() }, 'Enter at most 20 addresses.'],
    ] as [object, string][]) {
      const refused = await choose(scene, typed)
      expect(refused.status, sentence).to.equal(422)
      expect(refused).to.show(sentence, String(Object.values(typed)[0]).slice(0, 4))
    }
    expect((await choose(scene, { admins: 'on' })).status).to.equal(303)
    expect((await choose(scene, { 'was.revision': 0 })).status).to.equal(409)
    const [entry, ...more] = await scene.owner('portal.client_activity_logs').where({ event: 'alerts.changed' })
    expect(more).to.deep.equal([])
    expect(entry.subject).to.deep.equal({
      before: 'failures 20, foreign 20, exports 100; admins',
      after: `failures 5, foreign 6, exports 10; admins ${office}`,
    })
  })

  it('are mailed once an hour for each kind, by two processes, and later ones with the next', async () => {
    const one = await open({ mail: 'kept' })
    const two = await open({ on: one, mail: 'kept' })
    await choose(one, { admins: 'on' })
    for (const address of ['203.0.113.1', '203.0.113.2']) await raise(one, 'failures', { address })
    await raise(one, 'foreign', { name: 'Nadia El-Khoury' })
    await look(one)
    await until(async () => (await queued(one)).length >= 4)
    await until(async () => (await waiting(one)).length === 0)
    const mails = () => [...one.mails, ...two.mails].filter(it => it.to === office && /alert/.test(it.subject))
    await until(() => mails().length === 2)
    const [mail] = mails().filter(it => /failed sign-ins/.test(it.subject))
    expect(mail!.text).to.include('At least 40 sign-ins')
    expect(mail!.text).to.include('Who: 203.0.113.1, 203.0.113.2')
    expect(mail!.text).to.include('https://crm.example/settings/client-portal/alerts')
    expect((await queued(one)).map(it => it.recipient)).to.include('marta@brightside.example')

    for (const address of ['203.0.113.3', '203.0.113.3']) await raise(one, 'failures', { address })
    await look(one)
    expect(await queued(one)).to.have.length(4)
    await one.pass(61)
    await look(one)
    await until(() => mails().length === 3)
    expect(mails().some(it => it.text.includes('Who: 203.0.113.3 (40 times)'))).to.equal(true)
  })

  it('are mailed in the language of staff mails, and once where a process ends in between', async () => {
    const scene = await open({ mail: 'kept' })
    await choose(scene)
    await scene.owner('portal.client_staff_mail_rules').insert({
      ...{ workspace_id: '1', revision: 1, kinds: '{}', to_owner: true, to_admins: true, also: false },
      ...{ addresses: [], hour: 8, language: 'es', changed_by: '' },
    })
    // What ends in the middle of the transaction is undone: here it cannot write the mail.
    await scene.owner.raw(
      'alter table portal.client_outbox add constraint ends check (kind not like $$alerts.%$$) not valid',
    )
    await raise(scene, 'exports', { name: 'Nadia El-Khoury', times: 100, minutes: 60 })
    await look(scene)
    await until(() =>
      scene.owner('portal_jobs.job').whereRaw(`data->>'job' = 'alerts.mail' and state = 'retry'`).first('id'),
    )
    expect(await waiting(scene)).to.have.length(1)
    await scene.owner.raw('alter table portal.client_outbox drop constraint ends')
    await hurry(scene.owner, { state: 'retry' })
    const mail = await until(() => scene.mails.find(it => it.to === office), 40)
    expect(mail.subject).to.equal('Alerta de seguridad: demasiadas descargas')
    expect(await queued(scene)).to.have.length(1)
  })

  it('are mailed to nobody where nobody is chosen, and not while the portal is off or a day later', async () => {
    let isOn = true
    const scene = await open({ mail: 'kept', flags: { enabledAnywhere: () => true, enabled: () => isOn } })
    await choose(scene, { addresses: '' })
    await raise(scene, 'failures', { address: '203.0.113.1' })
    await look(scene)
    await until(async () => (await waiting(scene)).length === 0)
    await choose(scene)
    isOn = false
    await raise(scene, 'failures', { address: '203.0.113.2' })
    await look(scene)
    expect(await waiting(scene)).to.have.length(1)
    await scene.pass(25 * 60)
    isOn = true
    await look(scene)
    await until(async () => (await waiting(scene)).length === 0)
    expect(await queued(scene)).to.deep.equal([])
  })
})
