import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from '../../test/browser.ts'
import { closeServers, listening } from '../../test/listening.ts'
import { hiddenIn } from '../../test/requests.ts'
import { alone, settings } from '../../test/tasks.ts'
import { leave, type Scene, type Visitor } from '../../test/visit.ts'

const typed = {
  id: '0193b3a0-0000-7000-8000-000000000001',
  title: 'Send the opening hours',
  text: '',
  items: 'Utrecht\nAmersfoort',
  dueOn: '',
  client: '1',
}

describe('the page of a task that staff have open', function () {
  this.timeout(90_000)
  let browser: Browser
  let scene: Scene
  let origin: string
  let admin: Visitor
  let owner: Visitor
  const complaints: string[] = []

  before(async () => {
    browser = await openBrowser()
    scene = await alone()
    origin = await listening(scene.app)
    ;[admin, owner] = await Promise.all([scene.visit('admin'), scene.visit('owner')])
    expect((await admin.postAt(settings, typed)).status).to.equal(303)
  })
  after(async () => {
    await browser.close()
    closeServers()
    await leave()
  })

  const idOf = async () => String((await scene.owner('portal.client_tasks').first('id')).id)

  async function look(path: string): Promise<Page> {
    const context = await browser.newContext()
    const cookies = admin.cookie.split('; ').map(it => it.split(/=(.*)/s) as [string, string])
    await context.addCookies(cookies.map(([name, value]) => ({ name, value, url: origin })))
    const page = await context.newPage()
    page.on('console', it => ['error', 'warning'].includes(it.type()) && complaints.push(it.text()))
    page.on('pageerror', it => complaints.push(String(it)))
    const listens = page.waitForResponse(it => it.url().includes('/live?'))
    await page.goto(origin + settings + path)
    expect((await listens).status()).to.equal(200)
    await page.evaluate(() => Object.assign(globalThis, { opened: true }) && undefined)
    return page
  }

  async function tick(title: string) {
    const id = await idOf()
    const { task } = (await owner.api(`/tasks/${id}`)).body
    const item = task.items.find((it: { title: string }) => it.title === title).id
    expect((await owner.post(`/tasks/${id}/checklist`, { item, done: 'on' })).status).to.equal(303)
  }

  it('shows what the client ticks and completes, and keeps what staff typed', async () => {
    const id = await idOf()
    const [one, desk] = [await look(`/${id}`), await look('')]
    await one.locator('#change summary').click()
    await one.fill('#title', 'Send the new opening hours')
    await one.locator('#text').pressSequentially('Half a sen')
    await tick('Utrecht')
    await one.getByText('1 of 2').waitFor({ timeout: 5_000 })
    await desk.getByText('1 of 2').waitFor({ timeout: 5_000 })
    expect(await one.inputValue('#title')).to.equal('Send the new opening hours')
    expect(await one.inputValue('#text')).to.equal('Half a sen')
    expect(await one.evaluate(() => document.activeElement?.id)).to.equal('text')

    // What a colleague changes meanwhile is not overwritten unseen: the form is still about what it began with.
    const { version } = hiddenIn((await admin.at(`${settings}/${id}`)).text)
    const change = { ...typed, title: 'Send all opening hours', version }
    expect((await admin.postAt(`${settings}/${id}`, change)).status).to.equal(303)
    await one.getByRole('heading', { name: 'Send all opening hours' }).waitFor({ timeout: 5_000 })
    expect(await one.inputValue('[name=version]')).to.equal(version)
    await one.getByRole('button', { name: 'Save' }).click()
    await one.getByRole('alert').waitFor()
    expect(await one.inputValue('#title')).to.equal('Send the new opening hours')
    expect((await scene.owner('portal.client_tasks').first('title')).title).to.equal('Send all opening hours')

    const done = { version: (await owner.api(`/tasks/${id}`)).body.task.version, at: '' }
    expect((await owner.post(`/tasks/${id}/completion`, done)).status).to.equal(303)
    await desk.getByText('Nothing to do').waitFor({ timeout: 5_000 })
    expect(await desk.evaluate(() => 'opened' in globalThis)).to.equal(true)
    expect(complaints.filter(it => !it.includes('Failed to load resource'))).to.deep.equal([])
  })
})
