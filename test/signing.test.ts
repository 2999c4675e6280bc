import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { build, phone, type Stage } from './pages/browsing.ts'
import { leave } from './visit.ts'

describe('signing in a real browser', function () {
  this.timeout(90_000)
  let stage: Stage

  beforeEach(async () => {
    stage = await build()
  })
  afterEach(async () => {
    await stage?.close()
    await leave()
  })

  const open = async (page: Page) => {
    const { id } = await stage.scene.owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}`)
    return id as number
  }
  const signed = async () => {
    const [row] = await stage.scene.owner('portal.client_signatures').select('evidence')
    return JSON.parse(row.evidence)
  }

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
    await tabTo(/^Draw/)
    await page.keyboard.press('ArrowRight')
    await tabTo(/^Your full name/)
    await page.keyboard.type('Nadia E.')
    await tabTo(/^I accept/)
    await page.keyboard.press('Space')
    await tabTo(/^Sign and accept/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/evidence?done')

    const { signature, document } = await signed()
    expect(signature).to.deep.equal({ way: 'typed', text: 'Nadia E.' })
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
    await page.getByLabel('Purchase order number').fill('AB 7')
    await page.getByLabel(/^I accept/).check()
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.waitForURL('**/evidence?done')
    expect(await signed()).to.deep.include({ order: { number: 'AB 7', wishedOn: null } })
  })

  it('is drawn on a phone, kept when something else is missing, and cleared by a button', async () => {
    const page = await stage.visit('owner', { viewport: phone, colorScheme: 'dark' })
    const id = await open(page)
    await page.goto(`${stage.homeOf('owner')}/proposals/${id}/acceptance`)
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
    await page.locator('#agree').evaluate((it: any) => it.removeAttribute('required'))
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.getByText('Tick this box').waitFor()
    expect(await drawn()).to.equal(before)
    await page.locator('#agree').check()
    await page.getByRole('button', { name: 'Sign and accept' }).click()
    await page.waitForURL('**/evidence?done')
    expect((await signed()).signature).to.deep.equal({ way: 'drawn', strokes: JSON.parse(before) })
    expect(await page.locator('svg.drawn path').getAttribute('d')).to.match(/^M\d/)
  })
})
