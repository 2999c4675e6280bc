import { expect } from 'chai'
import { openTelling } from '../../test/notifications.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

describe('notifications', () => {
  afterEach(leave)

  it('stand behind the bell, in the list and in the API, for their reader alone', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    await tell({ kind: 'documents.shared', to: ['owner'], facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } })
    const owner = await scene.visit('owner')

    expect(await owner.get('/notifications')).to.show('Marta shared Plan.pdf', '1 unread', 'Mark all as read')
    expect((await owner.get('/waiting')).body).to.include({ notifications: 1 })
    const { items } = (await owner.api('/notifications')).body
    expect(items).to.have.length(1)
    expect(items[0]).to.include({ kind: 'documents.shared', text: 'Marta shared Plan.pdf', read: false })

    for (const other of ['approver', 'neighbour', 'stranger'] as const) {
      const visitor = await scene.visit(other)
      expect(await visitor.get('/notifications'), other).to.not.show('Plan.pdf')
      expect((await visitor.get(`/notifications/${items[0].id}`)).status, other).to.equal(404)
    }
  })

  it('are read when somebody opens them, their record, or all', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    const owner = await scene.visit('owner')
    const [offer, other] = (await owner.api('/proposals')).body.items
    for (const { id } of [offer, other])
      await tell({
        kind: 'comments.replied',
        section: 'proposals',
        id,
        facts: { staff: 'Marta', number: 'P-1', text: 'Yes.' },
      })
    const { items } = (await owner.api('/notifications')).body
    const opened = await owner.get(`/notifications/${items[0].id}`)
    expect(opened.headers.location).to.match(new RegExp(`/proposals/${other.id}#talk$`))
    expect((await owner.api('/notifications')).body.unread).to.equal(1)

    await owner.get(`/proposals/${offer.id}`)
    await until(async () => (await owner.api('/notifications')).body.unread === 0)
    await tell({
      kind: 'comments.replied',
      section: 'proposals',
      id: offer.id,
      facts: { staff: 'Marta', number: 'P-1', text: 'No.' },
    })
    expect((await owner.post('/notifications/read')).status).to.equal(303)
    expect((await owner.api('/notifications')).body).to.include({ unread: 0, total: 3 })
  })

  it('of one kind about one record are one as long as nobody reads it', async () => {
    const scene = await openTelling()
    const { tell } = scene
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals')).body.items
    for (const text of ['One.', 'Two.', 'Three.'])
      await tell({ kind: 'comments.replied', section: 'proposals', id, facts: { staff: 'Marta', number: 'P-1', text } })
    expect((await owner.api('/notifications')).body.items.map((it: any) => it.text)).to.deep.equal([
      '3 new answers on P-1',
    ])
  })

  it('are told once for each key, by two processes at once too', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    const notice = { kind: 'documents.shared', key: '7 v1', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } }
    const told = await Promise.all(Array.from({ length: 6 }, () => tell(notice)))
    expect(told.flat()).to.have.length(1)
    await scene.mailTo('nadia@acmebakery.example')
    expect(await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).to.have.length(1)
  })

  it('come by the channels that workspace and person choose', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const notice = { kind: 'documents.shared', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } }
    const mailed = async () => {
      const before = (await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).length
      await tell(notice)
      return (await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).length - before
    }
    expect(await mailed()).to.equal(1)

    const off = { shown: 'documents.shared', on: 'documents.shared:here', hour: '8' }
    expect((await owner.post('/notifications/settings', off)).headers.location).to.match(/saved$/)
    expect(await mailed()).to.equal(0)

    const locked = { 'documents.shared:mail': 'always' }
    expect((await admin.postAt('/settings/client-portal/notifications', locked)).status).to.equal(303)
    expect(await mailed()).to.equal(1)
    expect(await owner.get('/notifications/settings')).to.show('You can’t switch all of it off')

    expect(
      (await admin.postAt('/settings/client-portal/notifications', { 'documents.shared:mail': 'off' })).status,
    ).to.equal(303)
    expect((await owner.post('/notifications/settings', { reset: '1' })).status).to.equal(303)
    expect(await mailed()).to.equal(0)
  })

  it('are chosen from the account too, unless they are switched off', async () => {
    const scene = await openTelling()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    expect(await owner.get('/account')).to.show('Choose notifications', '/notifications/settings')
    await admin.postAt('/settings/client-portal/visibility', { 'was.notifications': 'on' })
    expect(await owner.get('/account')).to.not.show('Choose notifications')
  })

  it('are unsubscribed from with one click, by mail programs too, and by nobody who only looks', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    const notice = { kind: 'documents.shared', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } }
    await tell(notice)
    const mail = await scene.mailTo('nadia@acmebakery.example')
    const { pathname } = new URL(mail.unsubscribe!)
    expect(mail.text).to.include(mail.unsubscribe)
    const nobody = await scene.visit()

    expect(await nobody.at(pathname)).to.show('Unsubscribe from these e-mails?', 'New documents')
    expect(await scene.owner('portal.client_notification_choices')).to.be.empty
    expect((await nobody.postAt(pathname, { 'List-Unsubscribe': 'One-Click' })).status).to.equal(200)
    await tell(notice)
    expect(await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).to.have.length(1)

    for (const wrong of ['nonsense', `AAAA${pathname.split('/').at(-1)}`, ''])
      expect((await nobody.at(`/portal/brightside/unsubscribe/${wrong}`)).status, wrong).to.be.oneOf([404, 410, 303])
    expect((await nobody.at(pathname.replace('brightside', 'harbor'))).status).to.equal(410)

    const admin = await scene.visit('admin')
    await admin.postAt('/settings/client-portal/notifications', { 'documents.shared:mail': 'always' })
    expect(await nobody.at(pathname)).to.show('These e-mails can’t be switched off')
    expect(await nobody.at(pathname)).to.not.show('Unsubscribe from these e-mails?')
  })

  it('wait until somebody’s quiet hours are over, and are not sent to who left meanwhile', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    const owner = await scene.visit('owner')
    // It is nine in the morning on a Saturday.
    const quiet = { shown: '', quiet: 'on', from: '19', until: '8', weekend: 'on', hour: '8' }
    expect((await owner.post('/notifications/settings', quiet)).status).to.equal(303)
    await tell({ kind: 'documents.shared', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } })
    const { rows } = await scene.owner.raw(
      `select extract(epoch from start_after - now())::int as seconds from portal_jobs.job
       where name = 'mail' and data->>'client' is not null`,
    )
    expect(rows).to.have.length(1)
    // Until Monday, eight o'clock.
    expect(rows[0].seconds / 3_600).to.be.within(46.5, 47.1)
    expect(
      await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' }).whereNull('sent_at'),
    ).to.have.length(1)

    await scene
      .owner('portal.client_users')
      .where({ email: 'nadia@acmebakery.example' })
      .update({ suspended_at: new Date() })
    await scene.owner.raw(`update portal_jobs.job set start_after = now() where name = 'mail'`)
    await until(async () => !(await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).length)
    expect(scene.mails.filter(it => it.subject.includes('Plan.pdf'))).to.be.empty
  })

  it('are summed up by mail at the reader’s hour, once on a day, and only what is new', async () => {
    const scene = await openTelling({ mail: 'kept', at: '2026-11-24T05:00:00Z' })
    const { tell } = scene
    const summarise = () => scene.perform('notifications.summaries')
    const owner = await scene.visit('owner')
    const chosen = { shown: 'documents.shared', on: ['documents.shared:here', 'documents.shared:summary'], hour: '8' }
    expect((await owner.post('/notifications/settings', chosen)).status).to.equal(303)
    for (const name of ['Plan.pdf', 'Sketch.pdf'])
      await tell({ kind: 'documents.shared', id: name, facts: { staff: 'Marta', name, files: 1 } })
    await summarise()
    expect(await scene.owner('portal.client_outbox').where({ kind: 'notifications.summary' })).to.be.empty

    await scene.pass(150)
    await Promise.all([summarise(), summarise(), summarise()])
    const mail = await scene.mailTo('nadia@acmebakery.example', '2 updates from Brightside Agency')
    expect(mail.text).to.include('Marta shared Plan.pdf').and.include('Marta shared Sketch.pdf')
    expect(mail.unsubscribe).to.be.a('string')
    expect(await scene.owner('portal.client_outbox').where({ kind: 'notifications.summary' })).to.have.length(1)

    await scene.pass(1_440)
    await summarise()
    expect(await scene.owner('portal.client_outbox').where({ kind: 'notifications.summary' })).to.have.length(1)
  })

  it('say nothing of what somebody may not see any more', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const { tell } = scene
    await tell({
      kind: 'comments.replied',
      section: 'proposals',
      id: '1',
      facts: { staff: 'Marta', number: 'P-1', text: 'Yes.' },
    })
    const owner = await scene.visit('owner')
    expect(await owner.get('/notifications')).to.show('Marta answered on P-1')
    await scene.owner('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'proposals', value: 'false', changed_by: 'Marta' },
    })
    expect(await owner.get('/notifications')).to.not.show('Marta answered on P-1')
    expect((await owner.get('/waiting')).body).to.not.have.property('notifications')
  })

  it('tell of a new device whatever somebody chose', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const owner = await scene.visit('owner')
    expect((await owner.post('/notifications/settings', { shown: 'notifications.device', hour: '8' })).status).to.equal(
      303,
    )
    await scene.visit('owner')
    const page = await owner.get('/notifications')
    expect(page).to.show('New sign-in from')
    const { items } = (await owner.api('/notifications')).body
    expect((await owner.get(`/notifications/${items[0].id}`)).headers.location).to.match(/\/account\/devices$/)
    expect(await (await scene.visit('admin')).at('/settings/client-portal/notifications')).to.not.show(
      'Sign-ins and security',
    )
  })

  it('keep what was typed where a setting is odd', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const odd = await owner.post('/notifications/settings', {
      quiet: 'on',
      from: '99',
      until: 'x',
      on: 'tasks.assigned:mail',
    })
    expect(odd.status).to.equal(422)
    expect(odd).to.show('Choose a full hour from the list.')
    expect(odd.text).to.match(/value="tasks.assigned:mail"[^>]*checked/)
    for (const form of [{ on: ['a', 'b'], shown: ['nonsense', '__proto__'] }, {}, { hour: '8', weekday: '9' }])
      expect((await owner.post('/notifications/settings', form)).status).to.be.oneOf([303, 422])
  })
})
