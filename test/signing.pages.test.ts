import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { share } from './links.ts'
import { phone, signIn, stageForEach } from './pages/browsing.ts'
import { pastTriggers } from './past-triggers.ts'
import { whoIs } from './visit.ts'

/** Headless ones call themselves so, and count as programs. */
const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

describe('signing in a real browser', function () {
  const stage = stageForEach(this)

  const open = async (page: Page) => {
    const { id } = await stage.scene.owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}`)
    return id as number
  }
  const signed = async () => {
    const [row] = await stage.scene.owner('portal.client_signatures').select('evidence')
    return JSON.parse(row.evidence)
  }

  /** As nobody may: a seal is never taken off. */
  const sealedAs = (it: object) => pastTriggers(stage.scene.owner, tx => tx('portal.client_signatures').update(it))

  it('is done by the keyboard alone: an option is chosen, the total follows, a name is typed', async () => {
    const page = await stage.visit('owner')
    await open(page)
    const tabTo = async (name: RegExp) => {
      for (let at = 0; at < 60; at++) {
        await page.keyboard.press('Tab')
        if (name.test(await page.evaluate(() => probes.focusName()))) return
      }
      throw new Error(`Tab did not reach ${name}`)
    }
    await tabTo(/^Short film/)
    await page.keyboard.press('Space')
    await page.getByText('€19,640.72').first().waitFor()
    await tabTo(/^Accept and sign/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/acceptance?*')
    await tabTo(/^Your full name/)
    await page.keyboard.type('N. El-Khoury')
    await tabTo(/^I accept/)
    await page.keyboard.press('Space')
    await tabTo(/^Sign and accept/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/evidence?done')

    const { signature, document } = await signed()
    expect(signature).to.deep.equal({ method: 'typed', text: 'N. El-Khoury', name: 'account' })
    expect(document.content.total.amount).to.equal('19640.72')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('is done without JavaScript, where a name is typed and nothing can be drawn', async () => {
    const page = await stage.visit('owner', { javaScriptEnabled: false, viewport: phone })
    await open(page)
    await page.getByLabel(/^Short film/).check()
    await page.getByRole('button', { name: 'Update the total' }).click()
    await page.getByText('€19,640.72').first().waitFor()
    await page.getByRole('button', { name: 'Accept and sign' }).click()
    await page.waitForURL('**/acceptance?*')
    expect(await page.locator('#pad').isVisible()).to.equal(false)
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await page.getByRole('alert').textContent()).to.match(
      /Not signed yet\.\s+Still needed:\s+your name, your consent/,
    )
    await page.getByLabel('Your full name').fill('Nadia El-Khoury')
    await page.getByText('Order number and delivery date').click()
    await page.getByLabel('Purchase order number').fill('AB 7')
    await page.getByLabel(/^I accept/).check()
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.waitForURL('**/evidence?done')
    expect(await signed()).to.deep.include({ order: { number: 'AB 7', requestedOn: null } })
  })

  it('keeps what was typed if the document changed meanwhile, and says what changed', async () => {
    const page = await stage.visit('owner')
    const id = await open(page)
    const swap = (storage_key: string) =>
      stage.scene.owner('documents').where({ file_name: 'Mood board.jpg' }).update({ storage_key })
    const { storage_key: before } = await stage.scene
      .owner('documents')
      .where({ file_name: 'Mood board.jpg' })
      .first('storage_key')
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance`)
    await page.locator('#sign-type').check()
    await page.getByRole('textbox', { name: 'Your full name' }).fill('Mickey Mouse')
    await page.locator('#agree').check()
    await swap('1/1/winter-1')
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    // What else is wrong is no reason to keep quiet about it.
    await page.getByText('What has changed: Mood board.jpg.').waitFor()
    await page.getByRole('textbox', { name: 'Your full name' }).fill('N. El-Khoury')
    await page.locator('#agree').check()
    await swap(before)
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.getByText('Check it once more before you sign').waitFor()
    expect(await page.locator('#sign-type').isChecked()).to.equal(true)
    expect(await page.locator('#agree').isChecked()).to.equal(false)
  })

  it('is drawn on a phone, kept when something else is missing, and cleared by a button', async () => {
    const page = await stage.visit('owner', { viewport: phone, colorScheme: 'dark' })
    const id = await open(page)
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance`)
    await page.getByText('Draw', { exact: true }).click()
    const draw = async () => {
      await page.locator('#pad').evaluate((it: any) => it.scrollIntoView({ block: 'center' }))
      const box = (await page.locator('#pad').boundingBox())!
      await page.mouse.move(box.x + 20, box.y + 20)
      await page.mouse.down()
      for (const [x, y] of [
        [60, 60],
        [100, 20],
        [140, 60],
        [200, 30],
      ] as const)
        await page.mouse.move(box.x + x, box.y + y, { steps: 5 })
      await page.mouse.up()
    }
    const drawn = () => page.locator('[name=strokes]').inputValue()
    await draw()
    expect(JSON.parse(await drawn())[0].length).to.be.above(5)
    await page.getByRole('button', { name: 'Clear' }).click()
    expect(await drawn()).to.equal('')
    await draw()
    const before = await drawn()
    expect(before).to.include(']')
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.getByText('Tick the box to accept.').waitFor()
    expect(await drawn()).to.equal(before)
    await page.locator('#agree').check()
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.waitForURL('**/evidence?done')
    expect((await signed()).signature).to.deep.equal({ method: 'drawn', strokes: JSON.parse(before) })
    expect(await page.locator('svg.drawn path').getAttribute('d')).to.match(/^M\d/)
  })

  it('is continued after a session that ended: order number, options and drawing are kept, the consent is not', async () => {
    const page = await stage.visit('owner', { viewport: phone })
    const id = await open(page)
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance?options=1`)
    await page.getByText('Draw', { exact: true }).click()
    await page.locator('#pad').evaluate((it: any) => it.scrollIntoView({ block: 'center' }))
    const { x, y } = (await page.locator('#pad').boundingBox())!
    await page.mouse.move(x + 20, y + 20)
    await page.mouse.down()
    await page.mouse.move(x + 120, y + 60, { steps: 8 })
    await page.mouse.up()
    const drawn = await page.locator('[name=strokes]').inputValue()
    await page.getByText('Order number and delivery date').click()
    await page.getByLabel('Purchase order number').fill('AB 8')
    await page.getByLabel(/^I accept/).check()
    const [total] = await page.locator('.bar strong').allTextContents()
    await page.context().clearCookies({ name: 'portico.sid' })

    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.getByRole('heading', { level: 1, name: 'Not signed yet' }).waitFor()
    await signIn(page, 'owner')
    await page.getByText('You are signed in again. We kept what you entered.').waitFor()
    expect(await page.locator('.bar strong').allTextContents()).to.deep.equal([total])
    expect(await page.getByLabel('Purchase order number').inputValue()).to.equal('AB 8')
    expect(await page.locator('[name=strokes]').inputValue()).to.equal(drawn)
    expect(await page.getByLabel(/^I accept/).isChecked()).to.equal(false)
    expect(await page.locator('.miss-consent').isVisible()).to.equal(true)
    await page.getByLabel(/^I accept/).check()
    await page.getByText('Ready to sign').waitFor()
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.waitForURL('**/evidence?done')
    expect((await signed()).signature).to.deep.equal({ method: 'drawn', strokes: JSON.parse(drawn) })
  })

  it('is kept as it is seen: it ends at the edge of the field, and is as high for its width', async () => {
    const page = await stage.visit('owner', { viewport: phone })
    const id = await open(page)
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance`)
    await page.getByText('Draw', { exact: true }).click()
    await page.locator('#pad').evaluate((it: any) => it.scrollIntoView({ block: 'center' }))
    const { x, y, width, height } = (await page.locator('#pad').boundingBox())!
    expect(height).to.be.above(150)
    const points = [
      [100, 60],
      [100, height + 40],
      [180, height + 40],
      [180, 60],
    ] as const
    for (const [at, [dx, dy]] of points.entries()) {
      await page.mouse.move(x + dx, y + dy, { steps: 8 })
      if (!at) await page.mouse.down()
    }
    await page.mouse.up()

    const kept: [number, number][][] = JSON.parse(await page.locator('[name=strokes]').inputValue())
    const ends = kept.map(its => [its[0]!, its.at(-1)!].map(([left, top]) => [left, top]))
    const [left, right, top] = [100 - width / 2, 180 - width / 2, 60].map(it => (it * 300) / height) as [
      number,
      number,
      number,
    ]
    const near = (it: number[], to: number[]) => it.forEach((one, at) => void expect(one).to.be.closeTo(to[at]!, 8))
    expect(ends).to.have.length(2)
    near(ends.flat(2), [500 + left, top, 500 + left, 300, 500 + right, 300, 500 + right, top])
    expect(stage.complaints()).to.deep.equal([])
  })

  for (const javaScriptEnabled of [false, true])
    it(`offers the signed PDF as soon as it is sealed, ${javaScriptEnabled ? 'by itself' : 'by a link without JavaScript'}`, async () => {
      const page = await stage.visit('owner', { javaScriptEnabled, viewport: phone })
      const id = await open(page)
      await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance`)
      await page.getByLabel('Your full name').fill('Nadia El-Khoury')
      await page.getByLabel(/^I accept/).check()
      await page.getByRole('button', { name: 'Sign and accept' }).click()
      await page.waitForURL('**/evidence?done')
      await stage.scene.mailTo(whoIs('owner').email)
      const [sealed] = await stage.scene.owner('portal.client_signatures').select('sealed', 'sealed_hash')
      await sealedAs({ sealed: null, sealed_hash: null })

      await page.reload()
      await page.getByText('We’re preparing your signed PDF.').waitFor()
      const download = page.getByRole('link', { name: 'Download the signed PDF' })
      expect(
        (await download.count()) + (await page.getByRole('link', { name: 'Download the document' }).count()),
      ).to.equal(0)
      if (javaScriptEnabled) await page.locator('#look-1').waitFor({ state: 'attached' })
      await sealedAs(sealed)
      if (!javaScriptEnabled) await page.getByRole('link', { name: 'Refresh' }).click()
      await download.waitFor()
      await page.getByText('Sealed, copies sent by e-mail').waitFor()
      expect(await page.getByText('Refresh').count()).to.equal(0)
      expect(stage.complaints()).to.deep.equal([])
    })

  for (const javaScriptEnabled of [false, true])
    it(`is done by a public link on a phone, ${javaScriptEnabled ? 'with' : 'without'} JavaScript and without an account`, async () => {
      const { scene } = stage
      const { path } = await share(scene)
      const page = await stage.visit(undefined, { javaScriptEnabled, viewport: phone, userAgent })
      const sent: string[] = []
      page.on('request', it => sent.push(`${it.headers().referer ?? ''}`))
      await page.goto(stage.homeOf('owner') + path)
      await page.waitForURL('**/link/open/*/proposals/*')
      await page.getByRole('heading', { level: 1, name: /^Winter campaign/ }).waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.be.at.most(360)
      expect(await page.locator('nav').count()).to.equal(0)

      await page.getByLabel(/^Short film/).check()
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Update the total' }).click()
      await page.getByText('€19,640.72').first().waitFor()
      await page.getByRole('button', { name: 'Accept and sign' }).click()
      await page.getByLabel('Your e-mail address').fill('sanne@acmebakery.example')
      await page.getByRole('button', { name: 'Send me a code' }).click()
      const code = page.getByLabel('Your code')
      await code.waitFor()
      const mail = await scene.mailTo('sanne@acmebakery.example')
      await code.fill(/^(\d{6})$/m.exec(mail.text)?.[1] ?? '')
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click()
      await page.waitForURL('**/acceptance?*')
      await page.getByText('You sign as Sanne de Boer, for Acme Bakery.').waitFor()
      await page.getByLabel(/^I accept/).check()
      await page.getByLabel('Your full name').fill('Sanne de Boer')
      await page.getByRole('button', { name: 'Sign and accept' }).click()
      await page.waitForURL('**/evidence?done')
      await page.getByRole('heading', { level: 1, name: 'Thank you, Sanne. It’s signed.' }).waitFor()

      const [row] = await scene.owner('portal.client_signatures').select('evidence')
      const { signer, document, publicLink } = JSON.parse(row.evidence)
      expect([signer.name, document.content.total.amount]).to.deep.equal(['Sanne de Boer', '19640.72'])
      expect(publicLink.seen.times).to.be.above(0)
      expect(sent.filter(it => it.includes('/link/'))).to.deep.equal([])
      // The browser notes each page that asks who somebody is.
      expect(stage.complaints().filter(it => !it.includes('403 (Forbidden)'))).to.deep.equal([])
    })
})
