import { expect } from 'chai'
import type { Router } from 'express'
import { z } from 'zod'
import { role } from '../../demo/portal-database.ts'
import { checkMigrations } from '../../src/crm/activation/checks.ts'
import { migrate } from '../../src/index.ts'
import { may, type Plugin, query } from '../../src/sdk.ts'
import { fresh } from '../database.ts'
import { leave, open } from '../visit.ts'
import { makeTickets } from './walked-tickets.ts'

const settings = '/settings/client-portal/tickets'

/** The plugin that docs/plugins.md builds, as a stranger would: outside of the tree, with `portico/sdk` alone. */
describe('the plugin of docs/plugins.md', () => {
  let tickets: Plugin

  before(async () => {
    const made = await makeTickets()
    expect(made.files).to.have.length(11)
    tickets = made.tickets
  })
  afterEach(leave)

  const withTickets = async () => {
    const copy = await fresh()
    const made = await migrate(copy.owner, { role, plugins: [tickets] })
    expect(made).to.deep.equal(['tickets/001_tickets'])
    return open({ on: copy, plugins: [tickets], mail: 'kept' })
  }
  const typed = { title: 'The shop is down', text: 'Since this morning.' }

  it('is used by clients and answered by staff, who tell whoever opened the ticket by mail', async () => {
    const scene = await withTickets()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    expect(await owner.get('/')).to.show('/portal/brightside/tickets"')
    expect(await owner.get('/tickets')).to.show('No tickets yet', 'Open a ticket')
    const refused = await owner.post('/tickets', { ...typed, title: ' ' })
    expect(refused).to.include({ status: 422 }).and.show('Write what it is about.', 'Since this morning.')
    const { headers } = await owner.post('/tickets', typed)
    expect(headers.location).to.equal('/portal/brightside/tickets/1')
    expect(await owner.get('/tickets/1')).to.show('The shop is down', 'Waiting for an answer')
    expect((await owner.api('/tickets')).body.items[0]).to.include({ id: '1', title: 'The shop is down' })
    expect(await owner.get('/activity')).to.show('opened the ticket The shop is down')

    expect(await admin.at('/settings/client-portal')).to.show(`href="${settings}"`)
    expect(await admin.at(settings)).to.show('The shop is down', 'Since this morning.')
    expect(await admin.postAt(`${settings}/1/answer`, { answer: ' ' }))
      .to.include({ status: 422 })
      .and.show('Write an answer.')
    expect((await admin.postAt(`${settings}/1/answer`, { answer: 'It is up again.' })).headers.location).to.equal(
      settings,
    )
    const mail = await scene.mailTo(owner.person!.email, 'Your ticket was answered: The shop is down')
    expect(mail.text).to.include('It is up again.').and.include('/brightside/tickets/1?client=')
    expect(await owner.get('/tickets/1')).to.show('It is up again.')
    expect((await admin.postAt(`${settings}/1/answer`, { answer: 'Twice.' })).status).to.equal(409)
    expect((await admin.postAt(`${settings}/99/answer`, { answer: 'Nowhere.' })).status).to.equal(404)
    expect(await admin.at('/settings/client-portal/activity')).to.show('answered the ticket The shop is down')
    expect(await admin.at('/settings/client-portal/mail/texts/tickets.answered/es')).to.show('Hemos respondido')
    expect(await admin.at('/settings/client-portal/state')).to.not.show('Failed')
  })

  it('shows nothing to anybody else, and goes by roles and switches', async () => {
    const scene = await withTickets()
    const owner = await scene.visit('owner')
    await owner.post('/tickets', typed)
    const all = { neighbour: 404, stranger: 404, viewer: 200 } as const
    for (const [who, status] of Object.entries(all)) {
      const other = await scene.visit(who as keyof typeof all)
      expect((await other.get('/tickets/1')).status, who).to.equal(status)
      const { items } = (await other.api('/tickets')).body
      expect(items.length > 0, who).to.equal(status === 200)
    }
    const viewer = await scene.visit('viewer')
    expect((await viewer.get('/tickets/new')).status).to.equal(403)
    expect((await viewer.post('/tickets', typed)).status).to.equal(403)
    expect((await (await scene.visit('colleague')).at(settings)).status).to.equal(403)
    expect((await (await scene.visit()).get('/tickets/1')).headers.location).to.include('/sign-in')
    const without = await scene.database.raw('select * from portal.client_tickets')
    expect(without.rows, 'outside of a workspace').to.be.empty

    const admin = await scene.visit('admin')
    await admin.postAt('/settings/client-portal/visibility', { 'was.tickets': 'on' })
    expect((await owner.get('/tickets/1')).status).to.equal(404)
    expect(await owner.get('/')).to.not.show('/tickets')
  })

  it('opens the whole workspace to staff only', async () => {
    const copy = await fresh()
    await migrate(copy.owner, { role, plugins: [tickets] })
    const greedy: Plugin = {
      ...tickets,
      routes: router =>
        void router.get('/', may('tickets.see'), async (req, res) => {
          res.json(await req.portal.inWorkspace(tx => query(tx, { text: 'select * from portal.client_tickets' })))
        }),
    }
    const scene = await open({ on: copy, plugins: [greedy] })
    expect((await (await scene.visit('owner')).get('/tickets')).status).to.equal(403)
  })

  it('disappears when it is removed, keeps its tables, and comes back as it was', async () => {
    const scene = await withTickets()
    await (await scene.visit('owner')).post('/tickets', typed)
    const without = await open({ on: scene })
    const owner = await without.visit('owner')
    expect((await owner.get('/tickets')).status).to.equal(404)
    expect(await owner.get('/'))
      .to.include({ status: 200 })
      .and.not.show('/tickets')
    expect(await owner.get('/activity')).to.include({ status: 200 })
    expect(await migrate(scene.owner, { role })).to.be.empty
    expect((await checkMigrations(scene.owner)).label).to.include(
      'not installed any more, with tables that are kept: tickets',
    )
    const back = await open({ on: scene, plugins: [tickets] })
    expect(await (await back.visit('owner')).get('/tickets')).to.show('The shop is down')
  })

  it('that is malformed stops the start with a sentence that names it and what is wrong', async () => {
    const scene = await open()
    const said = (change: object) =>
      open({ on: scene, plugins: [{ ...tickets, ...change } as Plugin] }).then(
        () => 'nothing',
        error => error.message,
      )
    const routes = () => undefined
    for (const [change, sentence] of [
      [{ name: 'Tickets!' }, 'plugin Tickets!: name must be small letters, digits and hyphens'],
      [{ name: 'account' }, 'plugin account: name is taken'],
      [{ name: 'invoices' }, 'plugin invoices: '],
      [{ icon: 'no-such-icon' }, 'plugin tickets: icon must be one of the icons that Portico has'],
      [{ routes: undefined }, 'plugin tickets: routes must be a function of a router'],
      [{ folder: '/nowhere' }, 'plugin tickets: folder must be a folder that is there'],
      [{ toggles: {} }, 'plugin tickets: toggles must have one of its own name'],
      [
        { permissions: { 'tickets.see': { label: 'x', roles: ['boss'] } } },
        'plugin tickets: permissions.tickets.see.roles.0',
      ],
      [
        { toggles: { ...tickets.toggles, invoices: tickets.toggles.tickets } },
        'toggles.invoices must begin with tickets',
      ],
      [{ responseSchemas: { 'invoices/list': z.object({}) } }, 'responseSchemas.invoices/list must begin with tickets'],
      [{ activity: { 'invoices.viewed': 'x' } }, 'plugin tickets: activity.invoices.viewed must begin with tickets'],
      [{ activity: { 'account.x': 'x' } }, 'plugin tickets: activity.account.x must begin with tickets'],
      [{ stepUps: { 'account.x': { label: 'x' } } }, 'plugin tickets: stepUps.account.x must begin with tickets'],
      [{ account: { path: '/x', routes } }, 'plugin tickets: account.path must be small letters'],
      [{ account: { path: 'devices', routes } }, 'plugin tickets: account.path is taken'],
      [{ account: { path: 'tokens', routes } }, 'plugins tickets and api-tokens both have the account page tokens'],
      [
        { account: { routes }, activity: { 'account.signed-in': 'x' } },
        'plugin tickets: activity.account.signed-in is an event of the portal itself',
      ],
      [
        { account: { routes }, activity: { 'account.token-made': 'x' } },
        'plugins tickets and api-tokens both have the event account.token-made',
      ],
      [
        { account: { routes }, stepUps: { 'account.factor': { label: 'x' } } },
        'plugin tickets: stepUps.account.factor is a step-up of the portal itself',
      ],
    ] as const)
      expect(await said(change), sentence).to.include(sentence)
    for (const change of [
      { routes: (it: Router) => void it.get('/open', (_req, res) => void res.end()) },
      {
        settings: { ...tickets.settings, routes: (it: Router) => void it.get('/open', (_req, res) => void res.end()) },
      },
    ])
      expect(await said(change)).to.include('plugin tickets: the route /open must say who may')
    const nested = { routes: (it: Router) => void it.use('/inbox', (_req, res) => void res.end()) }
    expect(await said(nested)).to.include('routes are added with get, post and the like, not with use')
    const twice = open({ on: scene, plugins: [tickets, tickets] })
    expect(await twice.catch(error => error.message)).to.include('two plugins have the name tickets')
  })
})
