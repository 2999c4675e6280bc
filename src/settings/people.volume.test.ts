import { expect } from 'chai'
import { crowd } from '../../test/crowd.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'

const settings = '/settings/client-portal'

/** The most that a page may weigh, in bytes: it shows the first of many, never all of them. */
const heaviest = 250_000

describe('settings of a workspace with 20,000 people of 2,000 clients', function () {
  this.timeout(240_000)
  afterEach(leave)

  it('show the first of them on every page, and the others on the next', async () => {
    const scene = await open({ mail: 'kept' })
    await crowd(scene.owner)
    const admin = await scene.visit('admin')
    const { id } = await scene.owner('portal.client_users').where({ email: 'p777@crowd.example' }).first('id')
    const { client_id } = await scene.owner('portal.client_memberships').where({ person_id: id }).first('client_id')
    for (const path of [
      ...['/', '/visibility', '/exceptions', '/exceptions?search=crowd', '/people', '/people?search=p777'],
      ...['/people?search=person', '/people/adoption', '/people/adoption?show=away', '/why?search=person', '/roles'],
      ...[`/people/${id}`, `/people/clients/${client_id}`, `/exceptions/${client_id}`, '/view?search=crowd'],
      '/links?search=campaign',
    ]) {
      const { status, text } = await admin.at(settings + path)
      expect(status, path).to.equal(200)
      expect(text.length, path).to.be.below(heaviest)
    }
    const deep = await nextPage(admin, `${settings}/people/adoption`, 40)
    expect((await admin.at(deep)).text).to.match(/rel="next"/)
  })
})

async function nextPage(admin: Visitor, first: string, times: number): Promise<string> {
  let at = first
  for (let page = 0; page < times; page++) {
    const { text } = await admin.at(at)
    at = /rel="next" href="([^"]+)"/.exec(text)![1]!.replaceAll('&amp;', '&')
  }
  return at
}
