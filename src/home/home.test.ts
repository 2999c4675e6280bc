import { expect } from 'chai'
import type { Router } from 'express'
import { leave, open } from '../../test/visit.ts'
import { sections } from '../plugin/discover.ts'
import { section } from '../plugin/plugin.ts'

/** The headings of the widgets, in the order of the page. */
const order = (text: string) =>
  [...text.slice(text.indexOf('class="widgets"')).matchAll(/<h2[^>]*>([^<]*)|aria-label="(Figures)"/g)].map(
    it => it[1] ?? it[2],
  )

describe('the home page', () => {
  afterEach(leave)

  it('shows what needs a response first, then figures, a chart, actions with how many wait, and what happened', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    await owner.get('/invoices')
    const page = await owner.get('/')

    expect(order(page.text).slice(0, 3)).to.deep.equal(['Figures', 'Invoiced and paid', 'Quick actions'])
    expect(page.text.indexOf('Needs you now')).to.be.below(page.text.indexOf('class="widgets"'))
    expect(page).to.show(
      'View invoices to pay',
      '/invoices?status=open',
      'Respond to proposals',
      'Get a statement of account',
    )
    expect(page.text).to.match(/Respond to proposals<\/a><span class="count push">\d\+?</)
  })

  it('is not empty for who has nothing yet: what will be here, whom to ask, and what can be done meanwhile', async () => {
    const { visit } = await open()
    const page = await (await visit('newcomer')).get('/')
    expect(page).to.show('Nothing has been sent to you yet', 'Your contact at Brightside Agency', 'Invite a colleague')
    expect(page).to.show('href="/portal/brightside/proposals"', 'href="/portal/brightside/account/profile"')
    expect(page).to.not.show('Get a statement of account', 'Nothing is waiting for you')
    expect(await (await visit('owner')).get('/')).to.not.show('Nothing has been sent to you yet')
  })

  it('lists what others did, but not sign-ins, nor what one only looked at oneself', async () => {
    const { visit, owner: database } = await open()
    const [owner, approver] = [await visit('owner'), await visit('approver')]
    const mine = await database('public.invoices').where({ ref_no: '2026-0107' }).first('id', 'client_id')
    const { client_id } = mine
    const theirs = await database('public.invoices').where({ ref_no: '2026-0112', client_id }).first('id')
    await owner.get(`/invoices/${mine.id}`)
    await approver.get(`/invoices/${theirs.id}`)
    for (let at = 0; at < 8; at++) await visit('viewer')

    expect(await owner.get('/'))
      .to.show('looked at invoice 2026-0112')
      .and.not.show('signed in', 'looked at invoice 2026-0107')
    expect(await approver.get('/')).to.show('looked at invoice 2026-0107')
    expect(await owner.get('/activity')).to.show('signed in', 'looked at invoice 2026-0107')
  })

  it('asks nobody for what they may not do', async () => {
    const { visit } = await open()
    const [approver, viewer] = [await visit('approver'), await visit('viewer')]
    expect(await approver.get('/')).to.show('Winter campaign and shop relaunch', 'Respond to proposals')
    expect(await viewer.get('/')).to.not.show('Winter campaign and shop relaunch', 'Respond to proposals')
  })

  it('counts for the navigation what waits in each section, of this company and for those who may do it', async () => {
    const fails = () => Promise.reject(new Error('away'))
    const some = sections.map(it => (it.name === 'quotations' ? { ...it, waiting: fails } : it))
    const { visit, log } = await open({ sections: some })
    const [approver, viewer, neighbour] = [await visit('approver'), await visit('viewer'), await visit('neighbour')]
    const waiting = async (who: typeof approver) => JSON.parse((await who.get('/waiting')).text)
    const before = await waiting(approver)
    const page = await approver.get('/proposals?status=open')
    expect(before.proposals).to.equal(Number(/Waiting for you\s*<span>(\d+)/.exec(page.text)?.[1]))
    expect(before.invoices).to.be.above(0)
    expect(await waiting(viewer)).to.have.all.keys('invoices')
    expect((await waiting(neighbour)).proposals).to.not.equal(before.proposals)
    expect(log.map(it => it.sentence)).to.include('what waits in a section could not be counted')
    expect(page.text).to.match(/data-waiting="[^"]*\/waiting\?client=/)
  })

  it('is arranged by each person, without a script, and for nobody else', async () => {
    const { visit } = await open()
    const [owner, approver] = [await visit('owner'), await visit('approver')]
    const names = ['figures', 'chart', 'actions', 'lately', 'news']
    const arrange = (typed: object) => owner.post('/account/home', { order: names, shown: names, ...typed })

    expect(await owner.get('/account/home')).to.show('Move Chart up', 'Quick actions', 'role="switch"')
    const moved = await arrange({ move: 'up:actions' })
    expect(moved.headers.location).to.match(/\/account\/home\?moved=up%3Aactions$/)
    expect(order((await owner.get('/')).text).slice(0, 3)).to.deep.equal([
      'Figures',
      'Quick actions',
      'Invoiced and paid',
    ])
    expect(await owner.get('/account/home?moved=up%3Aactions')).to.show(' autofocus')

    await arrange({ shown: ['actions'] })
    expect(order((await owner.get('/')).text)).to.deep.equal(['Quick actions'])
    expect(order((await approver.get('/')).text)).to.include('Figures')
    await arrange({ shown: [] })
    expect(await owner.get('/'))
      .to.show('Needs you now', 'Customise this page')
      .and.not.show('class="widgets"')
    await arrange({ reset: 'all' })
    expect(order((await owner.get('/')).text)).to.include('Figures')
  })

  it('works with any arrangement that is sent or stored', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    for (const nonsense of [
      {},
      { order: 'figures' },
      { order: ['<script>', '__proto__', 'chart', 'chart'], shown: 'everything', move: 'up:chart' },
      { order: ['figures'], shown: ['figures'], move: 'down:nothing' },
      { move: 'sideways' },
    ]) {
      expect((await owner.post('/account/home', nonsense)).status).to.equal(303)
      for (const path of ['/', '/account/home']) expect((await owner.get(path)).status).to.equal(200)
    }
    for (const value of ['null', '7', '"x"', '{"order":7,"hidden":{"a":1}}', '[[]]']) {
      await database('portal.client_portal_settings').where({ name: 'home' }).update({ value })
      expect((await owner.get('/')).status, value).to.equal(200)
    }
  })

  it('has a place for what the company has to say, the latest first', async () => {
    const news = section({
      name: 'notices',
      title: 'Notices',
      icon: 'speakerphone',
      order: 5,
      permissions: { 'notices.see': { label: 'See notices', roles: ['admin'] } },
      toggles: { notices: { label: 'Notices', about: 'News', default: true } },
      responseSchemas: {},
      activity: {},
      home: async () => ({
        needs: [],
        figures: [],
        news: [
          { title: 'Before.', text: 'We moved.', on: '2026-10-01' },
          { title: 'Closed until 3 January.', text: '<b>Call</b> us.', on: '2026-11-18' },
        ],
      }),
      routes: (_router: Router) => undefined,
    })
    const scene = await open()
    const { adapter } = await import('../../demo/adapter/adapter.ts')
    const whole = adapter(scene.database)
    const crm = {
      ...whole,
      connect: (...of: Parameters<typeof whole.connect>) => ({ ...whole.connect(...of), notices: {} }),
    }
    const { visit } = await open({ crm, sections: [...sections, news], on: scene })
    const page = await (await visit('owner')).get('/')

    expect(page).to.show('From Brightside Agency', '&lt;b&gt;Call&lt;/b&gt; us.', '18 Nov 2026')
    expect(page.text.indexOf('Closed until')).to.be.below(page.text.indexOf('Before.'))
  })
})
