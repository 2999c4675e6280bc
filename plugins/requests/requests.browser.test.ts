import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { desk, phone, stageForEach } from '../../test/pages/browsing.ts'
import { latestRequest, requestOf, sendFiles, sendRequest, settings } from '../../test/requests.ts'

const text = (name: string, content = 'x'.repeat(1_000)) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})

describe('a request in a real browser', function () {
  const stage = stageForEach(this)

  beforeEach(async () => {
    await sendRequest(await stage.scene.visit('admin'))
  })

  const opened = async (options: object) => {
    const owner = await stage.scene.visit('owner')
    const request = await latestRequest(owner)
    const page = await stage.visit('owner', options)
    await page.goto(`${stage.homeOf('owner')}/requests/${request.id}`)
    const item = (at: number) => page.locator(`#item-${request.list[at].id}`)
    return { owner, request, page, item, as: () => requestOf(owner, request.id) }
  }
  /** Still the page that was opened first, and not one that was loaded again. */
  const mark = (page: Page) => page.evaluate(() => Object.assign(globalThis, { opened: true }) && undefined)
  const isMarked = (page: Page) => page.evaluate(() => 'opened' in globalThis)

  it('is ticked off while files arrive, without losing what was typed', async () => {
    const { page, item, as } = await opened({ viewport: desk })
    await mark(page)
    await page.getByLabel('Your question').fill('Is the one of October enough?')
    await item(1)
      .locator('input[type=file]')
      .first()
      .setInputFiles([text('one.csv'), text('two.csv', 'b,2')])
    await page.getByText('1 of 3 done').first().waitFor()
    await item(0)
      .locator('input[type=file]')
      .first()
      .setInputFiles([text('abn.txt')])
    await page.getByText('2 of 3 done').first().waitFor()
    expect(await page.getByLabel('Your question').inputValue()).to.equal('Is the one of October enough?')
    expect(await isMarked(page)).to.equal(true)
    const { list } = await as()
    expect(list.map((it: any) => it.files.length)).to.deep.equal([1, 2, 0])
    expect(stage.complaints()).to.deep.equal([])
  })

  it('goes on after the line broke, and says what is not accepted beside what is', async () => {
    const { page, item, as } = await opened({ viewport: phone })
    let broken = 0
    await page.route('**/uploads/*', route =>
      route.request().method() === 'PATCH' && broken++ < 2 ? route.abort() : route.continue(),
    )
    await item(1)
      .locator('input[type=file]')
      .first()
      .setInputFiles([text('one.csv'), text('run.exe', 'MZ'), text('none.txt', '')])
    await item(1).getByText('Sent, 1 kB').waitFor()
    await item(1).getByText('Programs can’t be sent here').waitFor()
    await item(1).getByText('This file is empty.').waitFor()
    expect(broken).to.be.above(1)
    const { list } = await as()
    expect(list[1].files.map((it: any) => [it.name, it.state])).to.deep.equal([['one.csv', 'ready']])
    // What failed can be read until it is taken away.
    await item(1).getByRole('button', { name: 'Cancel run.exe' }).click()
    await item(1).getByRole('button', { name: 'Cancel none.txt' }).click()
    await page.getByText('1 of 2 files').waitFor()
    await item(2).getByText('Does not apply').click()
    await item(2).getByLabel('Why not?').fill('There is none.')
    await item(2).getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. Thank you.').waitFor()
    await page.getByRole('link', { name: 'Next one' }).click()
    expect(new URL(page.url()).hash).to.match(/^#item-/)
  })

  it('shows what a colleague sends, without a reload', async () => {
    const { page, request, item } = await opened({ viewport: phone })
    await mark(page)
    await item(1).getByText('Does not apply').click()
    await item(1).getByLabel('Why not?').fill('Half a sentence')
    const colleague = await stage.scene.visit('member')
    expect((await sendFiles(colleague, request, request.list[0], [['theirs.txt', 'x']])).status).to.equal(303)
    await page.getByText('1 of 3 done').first().waitFor()
    expect(await item(1).getByLabel('Why not?').inputValue()).to.equal('Half a sentence')
    expect(await isMarked(page)).to.equal(true)
    expect(stage.complaints()).to.deep.equal([])
  })

  it('shows staff what the client sends, without a reload, and keeps what they typed', async () => {
    const owner = await stage.scene.visit('owner')
    const request = await latestRequest(owner)
    const list = await stage.visit('admin', { viewport: desk })
    const page = await list.context().newPage()
    await list.goto(new URL(settings, stage.homeOf('owner')).href)
    await page.goto(new URL(`${settings}/${request.id}`, stage.homeOf('owner')).href)
    await Promise.all([mark(list), mark(page)])
    await page.getByText('Ask for more').click()
    await page.locator('#items').pressSequentially('Half a sen')
    expect((await sendFiles(owner, request, request.list[0], [['theirs.txt', 'x']])).status).to.equal(303)
    await page.getByText('theirs.txt').waitFor()
    await list.getByText('1 to check', { exact: true }).waitFor()
    expect(await page.locator('#items').inputValue()).to.equal('Half a sen')
    expect(await page.evaluate(() => document.activeElement?.id)).to.equal('items')
    await page.locator('#items').fill('')

    // What is being sent back is what was there when staff began to write.
    const item = page.locator(`#item-${request.list[0].id}`)
    await item.getByText('Send back').first().click()
    await item.getByLabel('What is missing?').fill('The other one')
    expect((await sendFiles(owner, request, request.list[1], [['more.txt', 'x']])).status).to.equal(303)
    await page.getByText('more.txt').waitFor()
    expect(await item.getByLabel('What is missing?').inputValue()).to.equal('The other one')
    expect([await isMarked(list), await isMarked(page)]).to.deep.equal([true, true])
    await item.getByRole('button', { name: 'Send back' }).click()
    await page.getByText('Sent back.', { exact: false }).first().waitFor()
    expect(stage.complaints()).to.deep.equal([])
  })

  it('works without a script', async () => {
    const { page, item, as } = await opened({ viewport: phone, javaScriptEnabled: false })
    const { width } = (await page.locator('body').boundingBox())!
    for (const it of await page.locator('input[name=files]').all()) {
      const { x, width: its } = (await it.boundingBox())!
      expect(x + its).to.be.below(width)
    }
    await item(0)
      .locator('input[name=files]')
      .setInputFiles([text('abn.txt')])
    await item(0).getByRole('button', { name: 'Send' }).click()
    await page.getByText('Your file has been sent.').waitFor()
    expect((await as()).done).to.equal(1)
  })
})
