/// <reference lib="dom" />
import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { tellSignal } from '../../src/platform/events.ts'
import { openBrowser } from '../browser.ts'
import { closeServers, listening } from '../listening.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../visit.ts'
import wallPlugin, { wall } from './wall/plugin.ts'

describe('a page that is live', function () {
  this.timeout(120_000)
  let browser: Browser
  let scene: Scene
  let origin: string
  let member: Visitor
  const heard: string[] = []

  before(async () => {
    browser = await openBrowser()
    scene = await open({ plugins: [wallPlugin] })
    origin = await listening(scene.app)
    member = await scene.visit('member')
  })
  beforeEach(() => Object.assign(wall, { notes: ['first'], open: true, draft: '' }))
  after(async () => {
    await browser.close()
    closeServers()
    await leave()
    // A stream that is refused is told to the console by the browser itself.
    expect(heard.filter(it => !it.includes('Failed to load resource'))).to.deep.equal([])
  })

  async function look(role: Role = 'owner', path = '/wall') {
    const { cookie } = await scene.visit(role)
    const context = await browser.newContext()
    const [name = '', value = ''] = /portico\.sid=[^;]+/.exec(cookie)![0].split(/=(.*)/s)
    await context.addCookies([{ name, value, url: `${origin}/portal/brightside` }])
    const page = await context.newPage()
    await page.clock.install()
    await page.addInitScript(() => {
      const signals: unknown[] = []
      Object.assign(globalThis, { signals })
      document.addEventListener('portico:signal', it => signals.push((it as CustomEvent).detail))
    })
    page.on(
      'console',
      it => ['error', 'warning'].includes(it.type()) && heard.push(`${it.text()} ${JSON.stringify(it.location())}`),
    )
    page.on('pageerror', it => heard.push(String(it.stack)))
    const listens = page.waitForResponse(it => it.url().includes('/live?'))
    await page.goto(`${origin}/portal/brightside${path}`)
    expect((await listens).status()).to.equal(200)
    return page
  }
  const asked = (page: Page) => {
    const all: string[] = []
    // How much waits is counted apart.
    page.on('request', it => {
      if (it.headers()['x-portico-refresh'] && !it.url().includes('/waiting?')) all.push(it.url())
    })
    return all
  }
  /** What it has put off until then, the page does now. */
  const later = (page: Page) => page.clock.fastForward(5_000)
  /** Somebody types at this client, which an open page is told after all that happened before. */
  const type = async (page: Page, name: string) => {
    const found = await scene
      .owner('portal.client_memberships')
      .where({ client_name: whoIs('owner').client })
      .first()
    const where = { workspace: found.workspace_id, client: found.client_id, section: 'wall', id: '1' }
    await tellSignal(scene.database, { ...where, by: { kind: 'staff', id: '1', name } })
    const told = await page.waitForFunction(its => (globalThis as any).signals.find((it: any) => it.name === its), name)
    return told.jsonValue()
  }
  const write = async (form: object) => {
    const { status, text } = await member.post('/wall', form)
    expect(status, text).to.equal(303)
  }
  const notes = (page: Page, text: string) => page.locator('#notes li', { hasText: text }).waitFor({ timeout: 5_000 })
  const state = (page: Page) =>
    page.evaluate(() => {
      const it = (id: string) => document.getElementById(id) as HTMLInputElement
      return {
        focus: document.activeElement?.id,
        caret: it('text')?.selectionStart,
        text: it('text')?.value,
        title: it('title')?.value,
        kind: it('kind')?.value,
        files: it('file')?.files?.length,
        open: (document.getElementById('about') as HTMLDetailsElement).open,
      }
    })

  it('shows what a colleague did, and keeps what is typed, chosen and opened, and the focus', async () => {
    const page = await look()
    await page.locator('#about summary').click()
    await page.fill('#title', 'My title')
    await page.selectOption('#kind', 'two')
    await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') })
    await page.locator('#text').pressSequentially('half a sen')
    await page.evaluate(() => (document.getElementById('text') as HTMLTextAreaElement).setSelectionRange(4, 4))
    const before = await state(page)
    expect(before).to.deep.equal({
      ...{ focus: 'text', caret: 4, text: 'half a sen', title: 'My title', kind: 'two', files: 1, open: true },
    })

    await write({ note: 'second', draft: 'from the server' })
    await notes(page, 'second')
    expect(await state(page)).to.deep.equal(before)
    expect(await page.locator('[data-live]').isHidden()).to.equal(true)
    await page.locator('#text').pressSequentially('!')
    expect((await state(page)).text).to.equal('half! a sen')
  })

  it('says that it has changed, instead of taking away what somebody is typing', async () => {
    const page = await look()
    await page.fill('#text', 'half a sentence')
    await write({ note: 'second', open: 'no' })
    await page.getByText('This page has changed').waitFor()
    expect((await state(page)).text).to.equal('half a sentence')
    await page.fill('#text', '')
    await page.locator('#about summary').focus()
    await write({ note: 'third', open: 'no' })
    await notes(page, 'third')
    expect(await page.locator('#text').count()).to.equal(0)
    expect(await page.locator('[data-live]').isHidden()).to.equal(true)
  })

  it('asks once in a second at most, and not again for what it did itself', async () => {
    const page = await look()
    const times = await page.evaluateHandle(() => {
      const times: number[] = []
      const { htmx } = globalThis as any
      const { ajax } = htmx
      htmx.ajax = (...all: unknown[]) => {
        times.push(Date.now())
        return ajax.apply(htmx, all)
      }
      return times
    })
    for (let at = 0; at < 6; at++) await write({ note: `note ${at}` })
    await notes(page, 'note 5')
    await type(page, 'Jonas')
    await later(page)
    const asks = await times.jsonValue()
    expect(asks).to.have.length.within(1, 6)
    for (const [at, time] of asks.slice(1).entries()) expect(time - asks[at]!).to.be.at.least(990)
    await later(page)
    expect(await times.jsonValue()).to.deep.equal(asks)

    const own = await look('owner')
    const more = asked(own)
    const listensAgain = own.waitForResponse(it => it.url().includes('/live?'))
    await Promise.all([listensAgain, own.locator('form button').click()])
    await type(own, 'Jonas')
    await later(own)
    expect(more).to.deep.equal([])
  })

  it('says who is typing, and asks for nothing then', async () => {
    const page = await look()
    const requests = asked(page)
    expect(await type(page, 'Jonas')).to.deep.equal({ of: 'wall/1', name: 'Jonas' })
    await later(page)
    expect(requests).to.deep.equal([])
  })

  it('keeps what it shows when the person is signed out elsewhere', async () => {
    const page = await look()
    await page.fill('#text', 'half a sentence')
    const isLive = (it: { url(): string }) => it.url().includes('/live?')
    const ends = page.waitForEvent('requestfinished', isLive)
    await scene.owner('portal.client_sessions').whereNotNull('person_id').delete()
    await ends
    const refused = page.waitForResponse(isLive)
    await page.evaluate(() => ['pagehide', 'pageshow'].map(it => window.dispatchEvent(new Event(it))))
    expect((await refused).status()).to.equal(401)
    expect((await state(page)).text).to.equal('half a sentence')
    member = await scene.visit('member')
  })

  it('is the list of documents, where uploads of a colleague appear', async () => {
    const page = await look('owner', '/documents')
    await page.fill('#search', 'P')
    await page.fill('#search', '')
    await page.locator('#search').focus()
    await member.agent
      .post('/portal/brightside/documents')
      .attach('files', Buffer.from('%PDF-1.7\n%%EOF\n'), { filename: 'new plan.pdf' })
    await page.locator('#list', { hasText: 'new plan.pdf' }).waitFor({ timeout: 5_000 })
    expect(await page.evaluate(() => document.activeElement?.id)).to.equal('search')
  })
})
