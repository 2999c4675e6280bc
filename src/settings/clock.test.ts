import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'

const settings = '/settings/client-portal'
const zone = 'Times are in Europe/Amsterdam.'

describe('the clock of staff pages', () => {
  afterEach(leave)

  it('is the workspace’s on every page, and is named once where times are shown', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const { id } = await scene.owner('proposals').where({ ref_no: 'P-2026-031', client_id: 1 }).first('id')
    // Already the next day in Amsterdam, whatever the time zone of database and process.
    const at = new Date('2026-11-20T23:30:00Z')
    const seen = { workspace_id: '1', client_id: '1', event: 'proposals.viewed', actor_kind: 'client', actor_name: 'N' }
    const subject = { id: String(id), number: 'P-2026-031' }
    await scene.owner('portal.client_activity_logs').insert({ ...seen, subject_id: String(id), subject, at })

    const pages = {
      activity: await admin.at(`${settings}/activity?from=2026-11-21&until=2026-11-21`),
      beside: await admin.at(`/proposals/${id}`),
    }
    for (const [name, page] of Object.entries(pages)) {
      expect(page, name).to.show('21 Nov 2026, 00:30')
      expect(page.text.split(zone), name).to.have.length(2)
    }
    for (const path of ['people', 'responses', 'questions', 'mail', 'links', 'state']) {
      const { text } = await admin.at(`${settings}/${path}`)
      const times = /\d{1,2} \w{3} 2026, \d\d:\d\d/.test(text)
      expect(text.split(zone), path).to.have.length(times ? 2 : 1)
    }
    expect(await admin.at(`${settings}/roles`)).to.not.show('Times are in')
  })

  it('is the CRM’s choice in the fragment for the CRM’s own page', async () => {
    const scene = await open()
    await (await scene.visit('owner')).get('/proposals/128')
    const which = { workspace: { id: '1', slug: 'brightside' }, client: '1', section: 'proposals', id: '128' }
    expect((await scene.portal.documentActivity({ ...which, timeZone: 'Asia/Tokyo' })).html).to.include(
      'Times are in Asia/Tokyo.',
    )
    expect((await scene.portal.documentActivity(which)).html).to.include(zone)
  })
})
