import { expect } from 'chai'
import { query, within } from '../../src/platform/database.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'
import { piecesOf, summaryOf } from './text.ts'

const area = '/settings/client-portal/announcements'
const ours = { title: 'We are closed', text: 'From **Monday** on.', startsOn: '2026-11-20', whom: 'all' }

describe('announcements', () => {
  afterEach(leave)

  /** Without those of the demo. */
  const openEmpty = async (options: Parameters<typeof open>[0] = {}) => {
    const scene = await open(options)
    await scene.owner('portal.client_announcements').delete()
    return scene
  }

  const publish = async (admin: Visitor, more: object = {}) => {
    const saved = await admin.postAt(area, { ...ours, ...more })
    expect(saved.status, saved.text).to.equal(303)
    return /announcements\/([\w-]{36})/.exec(saved.headers.location!)![1]!
  }

  const reads = (scene: Scene) => scene.owner('portal.client_announcement_reads')

  it('are on the first page, until somebody dismisses them, for that person alone', async () => {
    const scene = await openEmpty()
    const [admin, nadia, ilse] = await Promise.all([scene.visit('admin'), scene.visit('owner'), scene.visit('viewer')])
    const important = await publish(admin, { important: 'on' })
    const other = await publish(admin, { title: 'A new place', text: 'See [the guide](https://brightside.example/g).' })
    const home = await nadia.get('/')
    expect(home).to.show('We are closed', 'From Monday on.', `/announcements/${important}/dismissal`)
    expect(home).to.show('From Brightside Agency', 'A new place', 'See the guide.')
    expect(await reads(scene), 'nothing changes by looking at the first page').to.have.length(0)
    expect((await nadia.post(`/announcements/${important}/dismissal`, { back: 'home' })).headers.location).to.equal(
      '/portal/brightside/',
    )
    expect(await nadia.get('/')).to.not.show('We are closed')
    expect(await ilse.get('/')).to.show('We are closed')
    expect(await nadia.get(`/announcements/${important}`)).to.show('<b>Monday</b>', 'You have dismissed it')
    const { items, next } = (await nadia.api('/announcements')).body
    expect(next).to.equal(null)
    expect(items.map((it: any) => [it.id, it.dismissed, it.important])).to.deep.equal([
      [other, false, false],
      [important, true, true],
    ])
    expect(await nadia.get(`/announcements/${other}`)).to.show('href="https://brightside.example/g"', 'noopener')
  })

  it('count who has read them: people, once, and neither staff who look, programs, nor what is fetched ahead', async () => {
    const scene = await openEmpty()
    const [admin, nadia, ilse] = await Promise.all([scene.visit('admin'), scene.visit('owner'), scene.visit('viewer')])
    const id = await publish(admin)
    await nadia.get(`/announcements/${id}`).set('Sec-Purpose', 'prefetch')
    await nadia.agent.head(`/portal/brightside/announcements/${id}`)
    expect(await reads(scene)).to.have.length(0)
    for (let it = 0; it < 3; it++) await nadia.get(`/announcements/${id}`)
    await ilse.post(`/announcements/${id}/dismissal`)
    await ilse.post(`/announcements/${id}/dismissal`)
    expect(await reads(scene)).to.have.length(2)
    const page = await admin.at(`${area}/${id}`)
    expect(page).to.show('Read by 2 of', 'Nadia El-Khoury', 'Ilse', 'dismissed')
    const told = await scene.owner('portal.client_activity_logs').whereLike('event', 'announcements.%').orderBy('id')
    expect(told.map(it => it.event)).to.deep.equal(['published', 'viewed'].map(it => `announcements.${it}`))
  })

  it('are for those clients and roles that they name, from one day of the workspace until another', async () => {
    const scene = await openEmpty({ at: '2026-11-20T22:30:00Z' })
    const visit = async (role: Parameters<Scene['visit']>[0]) => scene.visit(role)
    const admin = await visit('admin')
    const titles = async (role: Parameters<Scene['visit']>[0]) =>
      (await (await visit(role)).api('/announcements')).body.items.map((it: any) => it.title)
    const acme = String(
      (await scene.owner('public.invoices').where({ ref_no: '2026-0107' }).first('client_id')).client_id,
    )
    const ids = [
      await publish(admin, { title: 'one client', whom: 'chosen', client: acme }),
      await publish(admin, { title: 'admins', role: ['admin', 'billing'] }),
    ]
    await publish(admin, { title: 'tomorrow', startsOn: '2026-11-21' })
    await publish(admin, { title: 'today', endsOn: '2026-11-20' })
    expect(await titles('owner')).to.have.members(['one client', 'admins', 'today'])
    expect(await titles('viewer')).to.have.members(['one client', 'today'])
    expect(await titles('neighbour')).to.not.include('one client')
    const [neighbour, viewer] = [await visit('neighbour'), await visit('viewer')]
    expect((await neighbour.get(`/announcements/${ids[0]}`)).status).to.equal(404)
    expect((await neighbour.post(`/announcements/${ids[0]}/dismissal`)).status).to.equal(404)
    expect((await viewer.get(`/announcements/${ids[1]}`)).status).to.equal(404)
    expect((await (await visit('stranger')).api(`/announcements/${ids[1]}`)).status).to.equal(404)
    const other = { workspace: '1', client: 'another' }
    const seen = await within(scene.database, other, tx =>
      query<{ title: string }>(tx, { text: 'select title from portal.client_announcements' }),
    )
    expect(
      seen.map(it => it.title),
      'by row security',
    ).to.not.include('one client')
    // At half past midnight in Amsterdam, it is still the day before in UTC.
    await scene.pass(60)
    expect(await titles('owner')).to.have.members(['one client', 'admins', 'tomorrow'])
    expect(await admin.at(area))
      .to.show('tomorrow')
      .and.not.show('>today<')
    expect(await admin.at(`${area}?show=ended`)).to.show('today')
  })

  it('are written with a preview of how many they reach, edited and withdrawn', async () => {
    const scene = await openEmpty()
    const admin = await scene.visit('admin')
    const preview = async (more: object) => {
      const page = await admin.postAt(`${area}/new`, { ...ours, step: 'preview', ...more })
      expect(page.status, page.text).to.equal(200)
      return Number(/reaches (\d+|nobody)/.exec(page.text)?.[1])
    }
    const people = await preview({})
    const acme = await preview({ whom: 'chosen', client: '1' })
    const bosses = await preview({ whom: 'chosen', client: '1', role: 'admin' })
    expect(people).to.be.greaterThan(acme)
    expect(acme).to.be.greaterThan(bosses).and.to.be.at.least(5)
    const { id: nadia } = await scene.owner('portal.client_users').where({ name: 'Nadia El-Khoury' }).first('id')
    const off = { workspace_id: '1', client_id: '1', name: 'announcements', value: 'false', changed_by: 'Marta' }
    await within(scene.database, { workspace: '1' }, tx =>
      tx('portal.client_portal_settings').insert({ ...off, person_id: nadia }),
    )
    expect(await preview({ whom: 'chosen', client: '1' })).to.equal(acme - 1)
    expect(await scene.owner('portal.client_announcements').where({ title: ours.title })).to.have.length(0)

    const id = await publish(admin)
    const change = (more: object) => admin.postAt(`${area}/${id}`, { ...ours, 'was.revision': 1, ...more })
    expect((await change({ title: 'Closed on Monday' })).status).to.equal(303)
    expect((await change({ title: 'Another' })).status, 'changed meanwhile').to.equal(409)
    const viewer = await scene.visit('viewer')
    expect(await viewer.get('/announcements')).to.show('Closed on Monday')
    expect((await admin.postAt(`${area}/${id}/withdrawal`)).status).to.equal(303)
    expect((await admin.postAt(`${area}/${id}/withdrawal`)).status).to.equal(409)
    expect((await change({ 'was.revision': 3 })).status).to.equal(409)
    expect((await viewer.get(`/announcements/${id}`)).status).to.equal(404)
    expect(await viewer.get('/announcements'))
      .to.show('No announcements')
      .and.not.show('Closed on Monday')
    expect(await admin.at(`${area}?show=withdrawn`)).to.show('Closed on Monday')
  })

  it('keep what was typed where they are refused, and show no markup of anybody', async () => {
    const scene = await openEmpty()
    const admin = await scene.visit('admin')
    for (const [more, sentence] of [
      [{ title: ' ' }, 'Give it a title.'],
      [{ text: '' }, 'Write what you want to say.'],
      [{ endsOn: '2026-11-19' }, 'Choose a day after the first one.'],
      [{ startsOn: 'soon' }, 'Enter a date.'],
      [{ whom: 'chosen' }, 'Choose at least one client.'],
      [{ whom: 'chosen', client: 'of nobody' }, 'Choose at least one client.'],
      [{ role: 'owner' }, 'Choose roles from the list.'],
    ] as [object, string][]) {
      const refused = await admin.postAt(area, { ...ours, ...more, important: 'on' })
      expect(refused.status, sentence).to.equal(422)
      expect(refused).to.show(sentence, 'value="on" aria-describedby="important-hint" checked')
    }
    const id = await publish(admin, {
      title: '<i>a</i>',
      text: '<script>alert(1)</script> **<b>** [x](javascript:alert(1))',
    })
    const page = (await (await scene.visit('owner')).get(`/announcements/${id}`)).text
    expect(page).to.not.include('<script>alert').and.not.include('<i>a').and.not.include('href="javascript')
    expect((await (await scene.visit('colleague')).postAt(area, ours)).status).to.equal(403)
    expect(piecesOf('See https://a.example/x. **bold** [y](https://b.example/(z)')).to.deep.equal([
      ...[{ text: 'See ' }, { text: 'https://a.example/x', url: 'https://a.example/x' }, { text: '. ' }],
      ...[
        { text: 'bold', bold: true },
        { text: ' [y](' },
        { text: 'https://b.example/(z', url: 'https://b.example/(z' },
      ],
      { text: ')' },
    ])
    expect(piecesOf('https://me:secret@a.example').some(it => it.url)).to.equal(false)
    expect(summaryOf('**a**\n\n[b](https://c.example) 👍👍', 5)).to.equal('a b …')
  })

  it('are switched off for a client, and part of the copy of one’s data, until the account ends', async () => {
    const scene = await openEmpty()
    const [admin, nadia] = [await scene.visit('admin'), await scene.visit('owner')]
    const id = await publish(admin)
    await nadia.get(`/announcements/${id}`)
    const { default: plugin } = await import('./plugin.ts')
    const { id: person } = await scene.owner('portal.client_users').where({ name: 'Nadia El-Khoury' }).first('id')
    const who = { workspace: '1', person }
    await within(scene.database, { workspace: '1' }, async tx => {
      const copy = await plugin.privacy!.exports!(tx, who)
      expect(copy.announcements).to.have.length(1)
      await plugin.privacy!.erases!(tx, who)
    })
    expect(await reads(scene)).to.have.length(0)
    const off = { workspace_id: '1', client_id: '1', name: 'announcements', value: 'false', changed_by: 'Marta' }
    await within(scene.database, { workspace: '1' }, tx => tx('portal.client_portal_settings').insert(off))
    const later = await scene.visit('owner')
    expect((await later.get(`/announcements/${id}`)).status).to.equal(404)
    expect(await later.get('/')).to.not.show('We are closed')
  })
})
