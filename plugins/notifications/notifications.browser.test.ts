import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { answer, begin } from '../../test/messages.ts'
import { desk, phone, stageForEach } from '../../test/pages/browsing.ts'
import { until } from '../../test/until.ts'
import { whoIs } from '../../test/visit.ts'

describe('the bell in a real browser', function () {
  const stage = stageForEach(this)

  const bell = (page: Page) => page.locator('.side-foot [data-count=notifications]')
  const shows = (page: Page, count: string) => bell(page).getByText(count, { exact: true }).waitFor({ timeout: 8_000 })

  /** Something that the owner is told of. */
  async function tell(title: string): Promise<void> {
    const { id } = await stage.scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    const row = { workspace_id: '1', client_id: '1', person_id: id, kind: 'documents.shared', section: 'documents' }
    const facts = { staff: 'Marta', files: 1, name: title }
    await stage.scene.owner('portal.client_notifications').insert({ ...row, record_id: title, facts })
    await stage.scene.owner.raw(`select pg_notify('portal_live', ?)`, [
      JSON.stringify(['changed', '1', '1', 'notifications', id]),
    ])
  }

  /** How many streams a page opens. */
  function streamsOf(page: Page): string[] {
    const streams: string[] = []
    page.on('request', it => it.url().includes('/live?') && streams.push(new URL(it.url()).search))
    return streams
  }

  it('counts without a reload, on a page that listens to nothing else, by one stream', async () => {
    const page = await stage.visit('owner', { viewport: phone })
    const streams = streamsOf(page)
    await page.goto(`${stage.homeOf('owner')}/invoices`)
    await until(() => streams.length > 0, 10)
    await tell('Plan.pdf')
    await shows(page, '1')
    await tell('Drawing.pdf')
    await shows(page, '2')
    expect(streams).to.have.length(1)
    expect(streams[0]).to.match(/^\?of=notifications%2F[0-9a-f-]{36}&of=/)
    expect(stage.complaints()).to.deep.equal([])
  })

  it('counts on a page that listens already, by the stream that it has, and leaves the page as it is', async () => {
    const page = await stage.visit('owner', { viewport: desk })
    const streams = streamsOf(page)
    await page.goto(`${stage.homeOf('owner')}/tasks`)
    await until(() => streams.length > 0, 10)
    let refreshed = 0
    page.on('request', it => {
      if (it.headers()['x-portico-refresh'] && !it.url().includes('/waiting')) refreshed++
    })
    await tell('Plan.pdf')
    await shows(page, '1')
    expect([streams.length, refreshed]).to.deep.equal([1, 0])
    const id = await begin(await stage.scene.visit('owner'), 'Is the ribbon in the price?')
    await answer(await stage.scene.visit('admin'), id, 'It is.')
    await page.locator('nav [data-count=messages]:not([hidden])').first().waitFor()
    expect(stage.complaints()).to.deep.equal([])
  })

  it('counts down when something was read elsewhere, and shows what is new on its own page', async () => {
    await tell('Plan.pdf')
    const [page, other] = [await stage.visit('owner'), await stage.visit('owner')]
    await page.goto(`${stage.homeOf('owner')}/notifications`)
    await shows(page, '1')
    await tell('Drawing.pdf')
    await page.getByText('Marta shared Drawing.pdf').waitFor()
    await shows(page, '2')
    await other.goto(`${stage.homeOf('owner')}/notifications`)
    await other.getByRole('button', { name: 'Mark all as read' }).click()
    await bell(page).waitFor({ state: 'hidden', timeout: 8_000 })
    expect(stage.complaints()).to.deep.equal([])
  })

  it('shows what came between the page and its stream', async () => {
    const page = await stage.visit('owner')
    const held = Promise.withResolvers<void>()
    await page.route('**/live?*', async route => {
      await held.promise
      await route.continue()
    })
    await page.goto(`${stage.homeOf('owner')}/notifications`)
    await tell('Plan.pdf')
    held.resolve()
    await page.getByText('Marta shared Plan.pdf').waitFor()
    expect(stage.complaints()).to.deep.equal([])
  })

  it('hears nothing of what colleagues are told', async () => {
    const { id } = await stage.scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    const colleague = await stage.scene.visit('member')
    expect((await colleague.get(`/live?of=notifications/${id}`)).status).to.equal(404)
    expect((await colleague.get('/live?of=notifications')).status).to.equal(404)
  })
})
