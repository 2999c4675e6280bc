import { expect } from 'chai'
import { sections } from '../src/plugin/discover.ts'
import { kindsOf } from '../src/plugin/sentences.ts'
import { person, share } from './links.ts'
import { type Route, routesOf } from './routes.ts'
import { until } from './until.ts'
import { leave, open, type Scene, type Visitor } from './visit.ts'

/** Whatever answers a file is found by its answer: a route that a later section adds is in here by being there. */
describe('every file that is taken away', () => {
  let scene: Scene
  let ids: Record<string, string>
  let attachment: string
  let copy: string
  const kinds = kindsOf(sections)

  before(async () => {
    scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const first = async (section: string, query = '') =>
      (await owner.api(`/${section}?${query}`)).body.items[0].id as string
    ids = {
      proposals: await first('proposals', 'search=P-2026-031'),
      quotations: await first('quotations', 'status=open'),
      invoices: await first('invoices'),
      payments: await first('payments'),
    }
    attachment = (await owner.api(`/proposals/${ids.proposals}`)).body.proposal.attachments[0].id
    for (const section of ['proposals', 'quotations']) {
      const { seen } = (await owner.api(`/${section}/${ids[section]}/acceptance`)).body
      const form = { seen, agree: 'on', how: 'typed', typed: 'Nadia El-Khoury' }
      expect((await owner.post(`/${section}/${ids[section]}/acceptance`, form)).status).to.equal(303)
    }
    await owner.post('/account/data/copy')
    copy = await copyOf(owner)
  })
  after(leave)

  const filled = ({ path }: Route) => {
    const [, section = ''] = /([^/]+)\/:id/.exec(path) ?? []
    return path
      .replace(':workspace', 'brightside')
      .replace(':id', ids[section] ?? '1')
      .replace(':attachment', attachment)
      .replace(':copy', copy)
      .replaceAll(/:\w+/g, '1')
  }
  const newest = async () =>
    Number((await scene.owner('portal.client_activity_logs').max('id as last').first())?.last ?? 0)

  /** Addresses that answered a file, each with what it left in the activity. */
  async function filesOf(who: Visitor, addresses: string[]): Promise<Map<string, string[]>> {
    const files = new Map<string, string[]>()
    for (const address of addresses) {
      const before = await newest()
      const { headers, status } = await who.agent.get(address).buffer(true)
      const type = String(headers['content-type'])
      const isFile = headers['content-disposition'] || /pdf|csv|zip|octet-stream/.test(type)
      if (status !== 200 || !isFile) continue
      const rows = await scene.owner('portal.client_activity_logs').where('id', '>', before).select('event')
      files.set(
        address,
        rows.map(it => it.event),
      )
    }
    return files
  }

  const leavesDownloads = (files: Map<string, string[]>) => {
    for (const [address, events] of files)
      expect(
        events.map(it => kinds[it]),
        `${address} left ${events}`,
      ).to.include('download')
  }

  it('leaves an event of the kind download: PDFs, CSVs, attachments, evidence and archives of clients', async () => {
    const routes = routesOf(scene.portal.clients).filter(it => it.method === 'get' && !it.path.includes('/link/'))
    const files = await filesOf(
      await scene.visit('owner'),
      routes.map(it => `/portal${filled(it)}`),
    )
    leavesDownloads(files)
    const found = [...files.keys()].join('\n')
    for (const it of [
      '/pdf',
      '/attachments/',
      '/evidence/pdf',
      '/evidence/bundle',
      'statement.csv',
      'list.csv',
      '/copy/',
    ])
      expect(found).to.include(it)
    expect([...files.keys()].filter(it => it.includes('/api/v1/'))).to.not.be.empty
  })

  it('leaves one in the settings and by a public link too', async () => {
    const routes = routesOf(scene.portal.settings).filter(it => it.method === 'get')
    const files = await filesOf(
      await scene.visit('admin'),
      routes.map(it => `/settings/client-portal${filled(it)}`),
    )
    expect([...files.keys()].join()).to.include('activity.csv')
    leavesDownloads(files)

    const { path, id } = await share(scene, { section: 'proposals', number: 'P-2026-029' })
    const guest = await person(scene)
    const [, base = ''] = /^(.*\/open\/[\w-]+)\//.exec((await guest.get(path)).headers.location!) ?? []
    const linked = await filesOf(guest, [`${base}/proposals/${id}/pdf`])
    expect(linked.size).to.equal(1)
    leavesDownloads(linked)
  })

  it('counts every download for the alert, attachments too', async () => {
    const owner = await scene.visit('owner')
    for (let at = 0; at < 100; at++) await owner.get(`/proposals/${ids.proposals}/attachments/${attachment}`)
    await until(() => scene.log.some(it => it.facts.alert === 'exports'))
    expect(scene.log.filter(it => it.facts.alert === 'exports').map(it => it.facts.name)).to.deep.equal([
      'Nadia El-Khoury',
    ])
  })

  it('is recognised by its event alone: each event has a kind', () => {
    for (const [event, kind] of Object.entries(kinds))
      expect(['view', 'download', 'change', 'sign-in'], event).to.include(kind)
    expect(kinds['proposals.attachment_downloaded']).to.equal('download')
    expect(kinds['invoices.statement_downloaded']).to.equal('download')
    expect(kinds['account.signed-in']).to.equal('sign-in')
  })
})

const copyOf = (owner: Visitor): Promise<string> =>
  until(async () => /\/account\/data\/copy\/([0-9a-f-]{36})/.exec((await owner.get('/account/data')).text)?.[1])
