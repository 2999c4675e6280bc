import { expect } from 'chai'
import { sections } from '../../src/plugin/discover.ts'
import type { Plugin } from '../../src/sdk.ts'
import { fallDue, until } from '../until.ts'
import { leave, open, type Role } from '../visit.ts'
import { freshWith, makeTickets } from './walked-tickets.ts'

const settings = '/settings/client-portal'
const typed = { title: 'The shop is down', text: 'Since this morning.' }

describe('what meets in a plugin of somebody else’s', () => {
  let plugins: Plugin[]

  before(async () => {
    const { tickets } = await makeTickets()
    plugins = [tickets]
  })
  afterEach(leave)

  const withTicket = async (more: object = {}) => {
    const scene = await open({ on: await freshWith(plugins), plugins, mail: 'kept', ...more })
    const owner = await scene.visit('owner')
    await owner.post('/tickets', typed)
    return { scene, owner }
  }

  it('is a conversation: the client writes, staff reply, and the client is told by mail', async () => {
    const { scene, owner } = await withTicket()
    const admin = await scene.visit('admin')
    expect(await owner.get('/tickets/1')).to.show('action="/portal/brightside/tickets/1/comments"')
    const refused = await owner.post('/tickets/1/comments', { text: ' ' })
    expect(refused).to.include({ status: 422 }).and.show('The shop is down', 'Write your question.')
    const { headers } = await owner.post('/tickets/1/comments', { text: 'Still down.' })
    expect(headers.location).to.equal('/portal/brightside/tickets/1#talk')
    expect(await owner.get('/tickets/1')).to.show('Still down.')
    expect((await owner.api('/tickets/1')).body.comments[0]).to.include({ text: 'Still down.', by: 'client' })
    expect(await owner.get('/activity')).to.show('commented on the ticket The shop is down')

    const page = await admin.at(`${settings}/questions`)
    expect(page).to.show('Still down.', 'The shop is down')
    const [, question] = /questions\/([\w-]+)\/reply/.exec(page.text) ?? []
    await admin.postAt(`${settings}/questions/${question}/reply`, { text: 'Look again.' })
    const mail = await scene.mailTo(owner.person!.email)
    expect(mail.text).to.include('Look again.').and.include('/brightside/tickets/1?client=')
    expect(await owner.get('/tickets/1')).to.show('Look again.')
  })

  it('shows and takes nothing of it for anybody else', async () => {
    const { scene, owner } = await withTicket()
    await owner.post('/tickets/1/comments', { text: 'Between us.' })
    for (const who of ['neighbour', 'stranger'] satisfies Role[]) {
      const other = await scene.visit(who)
      expect((await other.post('/tickets/1/comments', { text: 'Hello?' })).status, who).to.equal(404)
      expect(await other.get('/tickets/1')).to.not.show('Between us.')
    }
    const viewer = await scene.visit('viewer')
    expect((await viewer.post('/tickets/1/comments', { text: 'Hello?' })).status).to.equal(403)
    const admin = await scene.visit('admin')
    await admin.postAt(`${settings}/visibility`, { 'was.tickets.questions': 'on' })
    expect((await owner.post('/tickets/1/comments', { text: 'Hello?' })).status).to.equal(404)
    expect(await owner.get('/tickets/1'))
      .to.include({ status: 200 })
      .and.not.show('Between us.')
    expect(await scene.owner('portal.client_comments').where({ section: 'tickets' })).to.have.length(1)
  })

  it('is missing without a word where the plugin for it is', async () => {
    const without = sections.filter(it => it.name !== 'comments')
    const { scene, owner } = await withTicket({ sections: without })
    expect(await owner.get('/tickets/1'))
      .to.show('The shop is down')
      .and.not.show('/comments')
    expect((await owner.post('/tickets/1/comments', { text: 'Hello?' })).status).to.equal(404)
    expect((await owner.api('/tickets/1')).body).to.not.have.property('comments')
    const admin = await scene.visit('admin')
    expect(await admin.at(settings))
      .to.not.show('Comments on tickets')
      .and.not.show('/questions')
    expect((await admin.at(`${settings}/questions`)).status).to.equal(404)
  })

  it('is done later by a job, for each workspace where the portal is on, and again a day later', async () => {
    const { scene, owner } = await withTicket()
    const schedule = () => scene.owner('portal_jobs.schedule').where({ name: 'plugins', key: 'tickets.close' })
    await until(async () => (await schedule()).length === 1)
    await scene
      .owner('portal.client_tickets')
      .update({ answered_at: scene.owner.raw(`portal.now() - interval '15 days'`) })
    await fallDue(scene.owner, 'tickets.close')
    const again = await open({ on: scene, plugins, mail: 'kept' })
    await until(async () => (await scene.owner('portal.client_tickets').first()).closed_at !== null)
    expect(await owner.get('/tickets')).to.show('Closed')
    const [daily] = await schedule()
    expect(daily.cron).to.equal('FREQ=MINUTELY;INTERVAL=1440')
    await again.portal.close()
  })

  it('leaves the job alone while the flag is off', async () => {
    const copy = await freshWith(plugins)
    await copy.owner.raw(
      `insert into portal.client_tickets (workspace_id, client_id, person_id, title, text, answered_at)
       values ('1', '1', 'x', 't', 't', portal.now() - interval '15 days')`,
    )
    await copy.owner.raw(
      `insert into portal_jobs.job (name, data, policy, singleton_key, expire_seconds, retry_limit)
       values ('plugins', '{"job": "tickets.close", "workspace": "1", "slug": "brightside", "data": {}, "round": true}', 'short',
         'tickets.close 1', 900, 8)`,
    )
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => slug !== 'brightside' }
    await open({ on: copy, plugins, flags })
    await until(async () => (await copy.owner('portal_jobs.job').where({ name: 'plugins', state: 'completed' })).length)
    expect((await copy.owner('portal.client_tickets').first()).closed_at).to.equal(null)
  })
})
