import { expect } from 'chai'
import type { Router } from 'express'
import { leave, open } from '../../test/visit.ts'
import { section } from '../section.ts'
import { sections } from '../sections.ts'

/** The headings of the widgets, in the order of the page. */
const order = (text: string) =>
  [...text.slice(text.indexOf('class="widgets"')).matchAll(/<h2[^>]*>([^<]*)|aria-label="(Figures)"/g)].map(
    it => it[1] ?? it[2],
  )

describe('the first page', () => {
  afterEach(leave)

  it('has what needs an answer first, then figures, a chart, actions with how many wait, and what happened', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    await owner.get('/invoices')
    const page = await owner.get('/')

    expect(order(page.text).slice(0, 3)).to.deep.equal(['Figures', 'Invoiced and paid', 'Quick actions'])
    expect(page.text.indexOf('Needs you now')).to.be.below(page.text.indexOf('class="widgets"'))
    expect(page).to.show(
      'See what is to pay',
      '/invoices?status=open',
      'Answer proposals',
      'Get a statement of account',
    )
    expect(page.text).to.match(/Answer proposals<\/a><span class="count push">\d\+?</)
  })

  it('tells what people did and not who came and went', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { id } = await database('public.invoices').where({ ref_no: '2026-0107' }).first('id')
    await owner.get(`/invoices/${id}`)
    for (let at = 0; at < 8; at++) await visit('viewer')

    expect(await owner.get('/'))
      .to.show('looked at invoice 2026-0107')
      .and.not.show('signed in')
    expect(await owner.get('/activity')).to.show('signed in')
  })

  it('is arranged by each person, without a script, and for nobody else', async () => {
    const { visit } = await open()
    const [owner, approver] = [await visit('owner'), await visit('approver')]
    const names = ['figures', 'chart', 'actions', 'lately', 'news']
    const arrange = (typed: object) => owner.post('/account/home', { order: names, shown: names, ...typed })

    expect(await owner.get('/account/home')).to.show('Move Chart up', 'Quick actions', 'role="switch"')
    const moved = await arrange({ move: 'up:actions' })
    expect(moved.headers.location).to.match(/\/account\/home\?moved=up%3Aactions$/)
    expect(order((await owner.get('/')).text)).to.deep.equal(['Figures', 'Quick actions', 'Invoiced and paid'])
    expect(await owner.get('/account/home?moved=up%3Aactions')).to.show(' autofocus')

    await arrange({ shown: ['actions'] })
    expect(order((await owner.get('/')).text)).to.deep.equal(['Quick actions'])
    expect(order((await approver.get('/')).text)).to.include('Figures')
    await arrange({ shown: [] })
    expect(await owner.get('/'))
      .to.show('Needs you now', 'Arrange this page')
      .and.not.show('class="widgets"')
    await arrange({ reset: 'all' })
    expect(order((await owner.get('/')).text)).to.include('Figures')
  })

  it('stands whatever is sent or stored as its arrangement', async () => {
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
      answers: {},
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
