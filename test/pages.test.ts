import { brotliCompressSync } from 'node:zlib'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { build, desk, inside, phone, type Stage, signIn } from './pages/browsing.ts'
import { answered } from './pages/every.ts'
import { leave, whoIs } from './visit.ts'

describe('the pages in a real browser', function () {
  this.timeout(180_000)
  // A browser on a busy machine is late at times.
  this.retries(1)
  let stage: Stage
  const home = () => stage.homeOf('owner')

  before(async () => {
    stage = await build()
  })
  after(async () => {
    await stage?.close()
    await leave()
  })
  afterEach(() => void stage.complaints())

  const lists = async () => {
    const page = await stage.visit('owner', { viewport: phone })
    await page.goto(`${stage.homeOf('owner')}/invoices`)
    return page
  }

  it('show a slow line: the list that is awaited is busy, the pressed chip turns, a thin bar runs', async () => {
    const page = await lists()
    let answer = () => {}
    const held = new Promise<void>(resolve => {
      answer = resolve
    })
    await page.route('**/invoices?*status=paid*', async route => {
      await held
      await route.continue()
    })
    await page.getByRole('link', { name: /^Paid/ }).click()
    await page.locator('#list[aria-busy="true"]').waitFor()
    await page.locator('.chips a.htmx-request').waitFor()
    expect(
      await page.locator('.busy').evaluate((it: any) => it.ownerDocument.defaultView.getComputedStyle(it).opacity),
    ).to.equal('1')
    answer()
    await page.locator('#list:not([aria-busy])').waitFor()
    expect(
      await page.locator('.busy').evaluate((it: any) => it.ownerDocument.defaultView.getComputedStyle(it).opacity),
    ).to.equal('0')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('say when the line breaks, stay as they are, and try again by a button', async () => {
    const page = await lists()
    const strip = page.locator('#connection')
    expect(await strip.isVisible()).to.equal(false)
    await page.context().setOffline(true)
    await page.getByText('You’re offline.').waitFor()
    await page.getByRole('link', { name: /^Overdue/ }).click()
    await page.locator('#list:not([aria-busy])').waitFor()
    expect(await page.locator('#rows > tr').count()).to.equal(20)
    await page.context().setOffline(false)
    await strip.waitFor({ state: 'hidden' })
    await page.route('**/invoices?*status=paid*', route => route.abort())
    await page.getByRole('link', { name: /^Paid/ }).click()
    await page.getByText('That didn’t get through.').waitFor()
    await page.unroute('**/invoices?*status=paid*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await listed(page, '**/invoices?*status=paid*')
    await strip.waitFor({ state: 'hidden' })
    stage.complaints()
  })

  it('count in the navigation what waits: at once what is known, and again after something was sent', async () => {
    const page = await lists()
    const count = page.locator('[data-count="invoices"]:visible b').first()
    await count.waitFor()
    expect(await count.textContent()).to.equal('5')
    let asked = 0
    await page.route('**/waiting?*', route => {
      asked++
      return route.abort()
    })
    await page.reload()
    await count.waitFor()
    expect(asked).to.equal(0)
    await page.goto(`${home()}/account/preferences`)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForLoadState('networkidle')
    expect(asked).to.equal(1)
    stage.complaints()
  })

  for (const [device, viewport] of Object.entries({ desk, phone })) {
    it(`lead a newcomer on a ${device} from sign-in to every paper and out again`, async () => {
      const page = await stage.visit(undefined, { viewport })
      await page.goto(`${home()}/`)
      await signIn(page, 'owner')
      await heading(page, 'Good morning, Nadia')
      expect(await page.locator('.needs li').count()).to.equal(9)

      await page.getByRole('link', { name: 'Review: Winter campaign' }).click()
      await heading(page, 'Winter campaign and shop relaunch, phase two')
      await nav(page, 'Invoices')
      await heading(page, 'Invoices')
      expect(await rows(page)).to.have.length(20)
      expect(await page.evaluate(() => probes.leaving()), 'the sidebar scrolls away').to.equal(0)

      await page.getByRole('link', { name: 'Show more' }).click()
      await page.locator('#rows > tr:nth-child(21) a:focus').waitFor()
      expect(new URL(page.url()).search).to.equal('?size=40')
      const [all, distinct] = [await rows(page), new Set(await rows(page))]
      expect(distinct.size).to.equal(all.length)
      await page.locator('#rows > tr:nth-child(30) a').click()
      await page.locator('article.paper').waitFor()
      await page.goBack()
      await page.locator('#rows > tr:nth-child(30)').waitFor()
      expect(await rows(page)).to.deep.equal(all)

      await page.getByRole('link', { name: /^Paid/ }).click()
      await listed(page, '**/invoices?*status=paid*')
      expect((await rows(page)).every(it => it.includes('Paid'))).to.equal(true)
      expect(await page.locator('#said').textContent()).to.equal('Showing the first 20')

      await page.getByRole('searchbox').pressSequentially('hosting', { delay: 20 })
      await listed(page, '**/invoices?*search=hosting*')
      expect(new URL(page.url()).searchParams.get('status')).to.equal('paid')
      expect((await rows(page)).every(it => it.includes('Hosting') && it.includes('Paid'))).to.equal(true)
      await page.locator('#search:focus').waitFor()

      await page.getByLabel('Sort').selectOption({ label: 'Highest amount first' })
      await listed(page, '**/invoices?*sort=amount*')
      expect(new URL(page.url()).searchParams.get('search')).to.equal('hosting')

      await page.goBack()
      await listed(page, '**/invoices?*search=hosting*sort=urgent*')
      await page.locator('#sort:has(option:checked[value=urgent])').waitFor()
      expect(await page.getByRole('searchbox').inputValue()).to.equal('hosting')
      await page.goBack()
      await page.locator('#search[value=""]').waitFor()
      expect(new URL(page.url()).searchParams.get('status')).to.equal('paid')
      await page.getByRole('link', { name: /^Overdue/ }).click()
      await listed(page, '**/invoices?*status=overdue*')

      await page.getByRole('link', { name: 'Photography: autumn range' }).click()
      await heading(page, 'Invoice 2026-0107')
      await page.goBack()
      await listed(page, '**/invoices?*status=overdue*')
      expect(await rows(page)).to.have.length(2)

      await page.getByRole('link', { name: 'Nadia El-Khoury' }).click()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await heading(page, 'Welcome back')
      await page.goBack()
      await page.waitForURL('**/sign-in?*')
      expect(stage.complaints()).to.deep.equal([])
      await page.context().close()
    })
  }

  it('copy what a bank asks for, and say so', async () => {
    const page = await stage.visit('owner', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.goto(`${home()}/invoices?search=2026-0107`)
    await page.locator('#rows a.go').first().click()
    await page.getByRole('button', { name: 'Copy: IBAN' }).click()

    await page.getByText('Copied NL91ABNA0417164300').waitFor({ state: 'attached' })
    expect(await page.evaluate('navigator.clipboard.readText()')).to.equal('NL91ABNA0417164300')
  })

  it('are used by the keyboard alone, and always show where one is', async () => {
    const page = await stage.visit()
    const press = async (key: string) => {
      await page.keyboard.press(key)
      const seen = await page.evaluate(() => probes.focusTrouble())
      expect(seen, `the focus after ${key}`).to.equal('')
    }
    const tabTo = async (name: string | RegExp, limit = 40) => {
      for (let at = 0; at < limit; at++) {
        await press('Tab')
        const label = await page.evaluate(() => probes.focusName())
        if (typeof name === 'string' ? label.startsWith(name) : name.test(label)) return
      }
      throw new Error(`${limit} times Tab did not reach ${name}`)
    }

    await page.goto(`${home()}/invoices`)
    const { email, password } = whoIs('owner')
    await page.locator('#email:focus').waitFor()
    await page.keyboard.type(email)
    await press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await heading(page, 'Invoices')

    await press('Tab')
    expect(await page.evaluate(() => probes.focusName())).to.equal('Skip to content')
    await page.keyboard.press('Enter')
    await tabTo('Payments', 1)
    await tabTo('Statement', 1)
    await tabTo('Search invoices', 1)
    await tabTo('Sort', 1)
    await page.keyboard.press('ArrowDown')
    await listed(page, '**/invoices?*sort=newest*')
    await tabTo(/^Overdue/)
    await page.keyboard.press('Enter')
    await listed(page, '**/invoices?*status=overdue*')
    await page.waitForFunction(() => /^Overdue/.test(probes.focusName()))
    await tabTo('Photography')
    await page.keyboard.press('Enter')
    await heading(page, 'Invoice 2026-0107')
    await tabTo('NE')
    await page.keyboard.press('Enter')
    await heading(page, 'Nadia El-Khoury')
    await tabTo('Sign out')
    await page.keyboard.press('Enter')
    await heading(page, 'Welcome back')
    expect(stage.complaints()).to.deep.equal([])
    await page.context().close()
  })

  it('show a password to who wants to see it, and take a code without a button', async () => {
    const page = await stage.visit()
    await page.goto(`${home()}/sign-in`)
    await page.locator('[name=password]').fill('secret words')
    await page.getByRole('button', { name: 'Show password' }).click()
    expect(await page.locator('[name=password]').getAttribute('type')).to.equal('text')
    await page.getByRole('button', { name: 'Show password' }).click()
    expect(await page.locator('[name=password]').getAttribute('type')).to.equal('password')

    const { email } = whoIs('approver')
    await page.locator('[name=email]').fill(email)
    await page.getByRole('button', { name: 'Send me a code instead' }).click()
    await heading(page, 'Check your e-mail')
    const code = /^(\d{6})$/m.exec((await stage.scene.mailTo(email)).text)?.[1] ?? ''
    await page.locator('[name=code]').fill(`${code.slice(0, 3)} ${code.slice(3)}`)
    await heading(page, 'Good morning, Sanne')
    expect(stage.complaints()).to.deep.equal([])
    await page.context().close()
  })

  it('do the same without any JavaScript', async () => {
    for (const viewport of [desk, phone]) {
      const page = await stage.visit(undefined, { viewport, javaScriptEnabled: false })
      await page.goto(`${home()}/invoices?status=paid`)
      await signIn(page, 'owner')
      await listed(page, '**/invoices?status=paid')
      expect(await rows(page)).to.have.length(20)
      const first = (await rows(page))[0]

      await page.getByRole('link', { name: 'Show more' }).click()
      await listed(page, '**/invoices?*after=*')
      expect((await rows(page))[0])
        .to.include('Paid')
        .and.not.equal(first)
      await page.getByRole('link', { name: 'Back to the start' }).click()
      await page.waitForURL(url => !url.searchParams.has('after'))
      expect((await rows(page))[0]).to.equal(first)

      await page.getByRole('searchbox').fill('hosting')
      await page.getByLabel('Sort').selectOption({ label: 'Newest first' })
      await page.getByRole('button', { name: 'Show' }).click()
      await listed(page, '**/invoices?*search=hosting*')
      expect((await rows(page)).every(it => it.includes('Hosting') && it.includes('Paid'))).to.equal(true)
      await page.getByRole('link', { name: /^All/ }).click()
      await page.waitForURL(url => !url.searchParams.has('status'))
      expect((await rows(page)).some(it => it.includes('To pay'))).to.equal(true)

      await page.locator('#rows a').first().click()
      await heading(page, /^Invoice 2026-/)
      await nav(page, 'Home')
      await page.getByRole('link', { name: 'Review: Winter campaign' }).click()
      await heading(page, 'Winter campaign and shop relaunch, phase two')
      await page.locator('.side-foot a').last().click()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await heading(page, 'Welcome back')
      await page.context().close()
    }
    expect(stage.complaints()).to.deep.equal([])
  })

  it('say what happens and ask once more before what is not undone by another click', async () => {
    await answered(stage.scene)
    for (const javaScriptEnabled of [false, true])
      for (const [role, address, name, words] of [
        ['owner', `${home()}/team`, /^End access: Ilse/, 'Ilse Verhoeven will lose access to Acme Bakery immediately'],
        ['owner', `${home()}/team`, /^End access: Nadia/, 'Only another admin can invite you again'],
        ['newcomer', `${home()}/account/data`, /^Close my account/, 'Your account closes in fourteen days'],
        ['admin', `${new URL(home()).origin}/settings/client-portal/responses`, /^Countersign/, 'This can’t be undone'],
      ] as const) {
        const page = await stage.visit(role, { javaScriptEnabled, viewport: { width: 320, height: 640 } })
        await page.goto(address)
        const button = page.getByRole('button', { name })
        expect(await button.count(), address).to.equal(0)
        await page
          .locator('details.confirm', { has: page.getByText(words) })
          .locator('summary')
          .click()
        await page.getByText(words).waitFor()
        await button.waitFor()
        expect(await page.evaluate(() => probes.spills()), address).to.deep.equal([])
        if (role === 'admin' && javaScriptEnabled) {
          await button.click()
          await page.getByText('Countersigned.', { exact: true }).waitFor()
        }
        await page.context().close()
      }
    expect(stage.complaints()).to.deep.equal([])
  })

  it('offer no passkey at an address in digits, where none can work, and say so', async () => {
    const page = await stage.visit('owner')
    await page.goto(`${home()}/account/passkeys`)
    await page.getByText('Passkeys don’t work in this browser or at this address.').waitFor()
    expect(await page.getByRole('button', { name: 'Add a passkey' }).count()).to.equal(0)
    await page.goto(`${home().replace('127.0.0.1', 'localhost')}/sign-in`)
    await page.getByRole('button', { name: 'Use a passkey' }).waitFor()
    const nobody = await stage.visit()
    await nobody.goto(`${home()}/sign-in`, { waitUntil: 'networkidle' })
    expect(await nobody.getByRole('button', { name: 'Use a passkey' }).count()).to.equal(0)
    await Promise.all([page.context().close(), nobody.context().close()])
  })

  it('ask whose session is over to sign in, and lead back to the list as it was', async () => {
    const { owner } = stage.scene
    const them = owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .select('id')
    const end = () => owner('portal.client_sessions').whereIn('person_id', them).del()
    const page = await stage.visit()
    await page.goto(`${home()}/invoices`)
    await signIn(page, 'approver')
    await page.getByRole('link', { name: /^Overdue/ }).click()
    await listed(page, '**/invoices?*status=overdue*')
    const before = page.url()

    await end()
    await page.getByRole('link', { name: /^All/ }).click()
    await page.waitForURL('**/sign-in?next=*')
    await signIn(page, 'approver')
    await page.waitForURL(before)
    expect(await rows(page)).to.have.length(2)

    // A page that comes back from the browser's history is asked for anew, too.
    await page.getByRole('link', { name: /^Paid/ }).click()
    await listed(page, '**/invoices?*status=paid*')
    await end()
    await page.goBack()
    await page.waitForURL('**/sign-in?next=*')
    expect(await page.locator('nav').count()).to.equal(0)
    await page.context().close()
  })

  it('weigh little, and nothing on them moves while they load', async () => {
    const page = await stage.visit(undefined, { viewport: phone })
    let bytes = 0
    const wire = await page.context().newCDPSession(page)
    await wire.send('Network.enable')
    wire.on('Network.loadingFinished', it => {
      bytes += it.encodedDataLength
    })
    await page.goto(`${home()}/sign-in`, { waitUntil: 'networkidle' })
    const weights: Record<string, number> = { 'first visit': bytes }
    expect(bytes).to.be.below(60_000)
    await signIn(page, 'owner')
    await heading(page, 'Good morning, Nadia')

    for (const path of ['/', '/proposals', '/invoices', '/account']) {
      bytes = 0
      await page.goto(home() + path, { waitUntil: 'networkidle' })
      const compressed = brotliCompressSync(await page.content()).length
      weights[path] = bytes
      weights[`${path} with brotli`] = compressed
      expect(await page.evaluate(() => probes.moved()), `what moved on ${path}`).to.equal(0)
      expect(compressed, path).to.be.below(15_000)
    }
    console.info('      bytes over the wire:', weights)
    await page.context().close()
  })

  it('show any CRM content as text', async () => {
    const { owner } = stage.scene
    const nasty = `<script>alert('x')</script><img src=x onerror=alert(1)> "quoted" {count} <%= 1 %> أهلا 你好`
    const { client_id } = await owner('public.invoices').where({ ref_no: '2026-0112' }).first('client_id')
    await owner('public.invoices').where({ client_id, ref_no: '2026-0112' }).update({ subject: nasty })
    await owner('public.proposals').where({ client_id, ref_no: 'P-2026-031' }).update({ title: nasty })
    await inside(stage.scene, 'brightside', tx =>
      tx('portal.client_users').where({ email: 'ilse@acmebakery.example' }).update({ name: nasty }),
    )
    const page = await stage.visit('viewer')
    for (const path of ['/', '/invoices', '/proposals', '/account', `/invoices?search=${encodeURIComponent(nasty)}`]) {
      await page.goto(home() + path)
      expect(await page.locator('body').textContent(), path).to.include(nasty.slice(0, 60))
      expect(await page.locator('script:not([src]), img:not(.logo), [onerror]').count(), path).to.equal(0)
    }
    await page.goto(`${home()}/invoices`)
    await page.getByRole('link', { name: /^Overdue/ }).click()
    await listed(page, '**/invoices?*status=overdue*')
    expect(await page.locator('#rows').textContent()).to.include(nasty.slice(0, 60))
    await page.locator('#rows a', { hasText: '<script>' }).click()
    await heading(page, 'Invoice 2026-0112')
    expect(await page.locator('.paper').textContent()).to.include(nasty.slice(0, 60))
    expect(stage.complaints()).to.deep.equal([])
    await page.context().close()
  })
})

const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name }).waitFor({ state: 'visible' })

const nav = (page: Page, name: string) => page.locator('.side nav').getByRole('link', { name }).click()

/** The address changes before the list does, and its links are only links until htmx has read them. */
async function listed(page: Page, address: string): Promise<void> {
  await page.waitForURL(address)
  await page.locator('#list:not([aria-busy])').waitFor()
}

const rows = (page: Page) => page.locator('#rows > tr').allInnerTexts()
