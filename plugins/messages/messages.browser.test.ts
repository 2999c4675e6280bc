import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { answer, begin, conversation, inbox, write } from '../../test/messages.ts'
import { desk, phone, signIn, stageForEach } from '../../test/pages/browsing.ts'
import { until } from '../../test/until.ts'
import { whoIs } from '../../test/visit.ts'

describe('a conversation in a real browser', function () {
  const stage = stageForEach(this)
  let id: string

  beforeEach(async () => {
    id = await begin(await stage.scene.visit('owner'), 'Is the ribbon in the price?')
  })

  const ofClient = () => `${stage.homeOf('owner')}/messages/${id}`
  const ofStaff = () => new URL(`${inbox}/${id}`, stage.homeOf('owner')).href
  const opened = async (who: 'owner' | 'admin', options: object = { viewport: desk }) => {
    const page = await stage.visit(who, options)
    const listens = 'javaScriptEnabled' in options || page.waitForResponse(it => it.url().includes('/live'))
    await page.goto(who === 'owner' ? ofClient() : ofStaff())
    await listens
    return page
  }
  const field = (page: Page) => page.locator('#say')
  const said = (page: Page) => page.locator('#talk > li:not(.day, .unread) .as-typed').allInnerTexts()
  const stored = async () =>
    (await conversation(await stage.scene.visit('owner'), id)).messages.map((it: any) => it.text)
  /** Still the page that was opened first, and not one that was loaded again. */
  const mark = (page: Page) => page.evaluate(() => Object.assign(globalThis, { opened: true }) && undefined)
  const isMarked = (page: Page) => page.evaluate(() => 'opened' in globalThis)

  it('goes to and fro without a reload, with who is typing and who has read, and keeps what is being typed', async () => {
    const [client, staff] = [await opened('owner', { viewport: phone }), await opened('admin')]
    await Promise.all([mark(client), mark(staff)])
    await staff.bringToFront()
    await Promise.all([
      client.getByText('Marta is typing …').waitFor(),
      field(staff).pressSequentially('It is, and', { delay: 400 }),
    ])
    await client.getByText('Marta is typing …').waitFor({ state: 'hidden' })

    await client.bringToFront()
    await field(client).fill('And the box?')
    await client.getByRole('button', { name: 'Send' }).click()
    await staff.getByText('And the box?').first().waitFor()
    expect(await field(client).inputValue()).to.equal('')
    expect(await field(staff).inputValue()).to.equal('It is, and')
    expect(await staff.evaluate(() => document.activeElement?.id)).to.equal('say')

    await field(staff).press('Control+Enter')
    await client.locator('#talk').getByText('It is, and').waitFor()
    await staff.getByText('read by Nadia').waitFor()
    await client.getByText('read by Marta').first().waitFor()
    expect(await said(client)).to.deep.equal(['Is the ribbon in the price?', 'And the box?', 'It is, and'])
    expect(await said(staff)).to.deep.equal(await said(client))
    expect(await client.locator('#typing').isVisible()).to.equal(false)
    expect([await isMarked(client), await isMarked(staff)]).to.deep.equal([true, true])
    expect(stage.complaints()).to.deep.equal([])
  })

  it('takes what was read off the count in the navigation, at once', async () => {
    await answer(await stage.scene.visit('admin'), id, 'It is.')
    const client = await stage.visit('owner', { viewport: desk })
    await client.goto(stage.homeOf('owner'))
    const count = client.locator('nav [data-count=messages]').first()
    await count.getByText('1').waitFor()
    await client.goto(ofClient())
    await count.waitFor({ state: 'hidden', timeout: 5_000 })
    await client.goto(stage.homeOf('owner'))
    expect(await count.isHidden()).to.equal(true)
  })

  it('takes what was answered off the count in the menu of staff, without a reload', async () => {
    const staff = await opened('admin')
    const count = staff.locator('nav [data-count=inbox]').first()
    await count.getByText('1').waitFor()
    await field(staff).fill('It is.')
    await field(staff).press('Control+Enter')
    await count.waitFor({ state: 'hidden', timeout: 5_000 })
    await write(await stage.scene.visit('owner'), id, 'And the box?')
    await count.getByText('1').waitFor({ timeout: 5_000 })
  })

  it('keeps what was not sent when the line is cut, over a reload, and sends it once', async () => {
    const page = await opened('owner')
    let cut = 0
    await page.route('**/messages/*/messages', route => {
      cut++
      return route.abort()
    })
    await field(page).fill('First')
    await field(page).press('Control+Enter')
    await page.getByText('Not sent: no connection.').waitFor()
    await field(page).fill('Second')
    await field(page).press('Control+Enter')
    await until(() => cut === 2)
    await page.getByRole('button', { name: 'Send again' }).nth(1).waitFor()
    await page.reload()
    expect(await page.getByText('Not sent: no connection.').count()).to.be.above(0)
    expect(await said(page)).to.deep.equal(['Is the ribbon in the price?', 'First', 'Second'])
    expect(await stored()).to.deep.equal(['Is the ribbon in the price?'])

    await page.unroute('**/messages/*/messages')
    await page.getByRole('button', { name: 'Send again' }).first().click()
    await page.locator('#talk:not(:has([data-outgoing]))').waitFor()
    await until(async () => (await stored()).length === 3)
    expect(await said(page)).to.deep.equal(['Is the ribbon in the price?', 'First', 'Second'])
    expect(await stored()).to.deep.equal(['Is the ribbon in the price?', 'First', 'Second'])
    stage.complaints()
  })

  it('stores a message once whose answer was lost', async () => {
    const page = await opened('owner')
    let lost = 0
    await page.route('**/messages/*/messages', async route => {
      if (lost++) return route.continue()
      await route.fetch()
      return route.abort()
    })
    await field(page).fill('Only once')
    await field(page).press('Control+Enter')
    await page.getByRole('button', { name: 'Send again' }).click()
    await page.locator('#talk:not(:has([data-outgoing]))').waitFor()
    expect(lost).to.equal(2)
    expect(await stored()).to.deep.equal(['Is the ribbon in the price?', 'Only once'])
    expect(await said(page)).to.deep.equal(await stored())
    stage.complaints()
  })

  it('is sent by itself when the browser is online again', async () => {
    const page = await opened('owner', { viewport: phone })
    await page.context().setOffline(true)
    await field(page).fill('From the train')
    await field(page).press('Control+Enter')
    await page.getByText('Not sent: no connection.').waitFor()
    await page.context().setOffline(false)
    await until(async () => (await stored()).includes('From the train'))
    await page.locator('#talk:not(:has([data-outgoing]))').waitFor()
    stage.complaints()
  })

  it('has the draft on another device, until it was sent', async () => {
    const [page, other] = [await opened('owner'), await stage.visit('owner', { viewport: phone })]
    await Promise.all([
      page.waitForResponse(it => it.url().endsWith('/draft')),
      field(page).pressSequentially('Half a sentence'),
    ])
    await other.goto(`${stage.homeOf('owner')}/messages`)
    await other.getByText('Draft: Half a sentence').waitFor()
    await other.goto(ofClient())
    expect(await field(other).inputValue()).to.equal('Half a sentence')
    await field(other).press('Control+Enter')
    await other.locator('#talk:not(:has([data-outgoing]))').waitFor()
    await until(async () => (await stored()).includes('Half a sentence'))
    await other.reload()
    expect(await field(other).inputValue()).to.equal('')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('has files that were chosen, in the page of the other', async () => {
    const [client, staff] = [await opened('owner', { viewport: phone }), await opened('admin')]
    await client.locator('#attach').setInputFiles({
      ...{ name: 'measures.txt', mimeType: 'text/plain', buffer: Buffer.from('4 mm') },
    })
    await client.locator('#attached', { hasText: 'measures.txt' }).waitFor()
    await client.getByRole('button', { name: 'Send' }).click()
    await staff.getByRole('link', { name: 'measures.txt' }).waitFor()
    await client.getByRole('link', { name: 'measures.txt' }).waitFor()
    expect(await client.locator('#attached').textContent()).to.equal('')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('takes a quick reply at the cursor, and a note of staff never reaches the client', async () => {
    const admin = await stage.scene.visit('admin')
    await admin.postAt(`${inbox}/setup/replies`, { title: 'On it', text: 'I’m on it.' })
    const [client, staff] = [await opened('owner'), await opened('admin')]
    await mark(client)
    await field(staff).fill('Hello.  Marta')
    await staff.evaluate(() => (document.getElementById('say') as HTMLTextAreaElement).setSelectionRange(7, 7))
    await staff.locator('#quick-replies summary').click()
    await staff.getByRole('link', { name: 'On it' }).click()
    expect(await field(staff).inputValue()).to.equal('Hello. I’m on it. Marta')
    expect(await staff.locator('#quick-replies').evaluate((it: HTMLDetailsElement) => it.open)).to.equal(false)

    const heard: string[] = []
    client.on('response', async it => {
      heard.push(await it.text().catch(() => ''))
    })
    await field(staff).fill('')
    await staff.getByLabel('Internal note').check()
    await field(staff).pressSequentially('Between us.')
    await field(staff).press('Control+Enter')
    await staff.locator('#talk > .internal:not([data-outgoing])', { hasText: 'Between us.' }).waitFor()
    expect(await staff.getByLabel('Internal note').isChecked(), 'the next one is a note too').to.equal(true)
    await answer(admin, id, 'For you.')
    await client.locator('#talk').getByText('For you.').waitFor()
    expect(await client.content()).to.not.include('Between us.')
    await client.reload()
    expect(await client.content()).to.not.include('Between us.')
    expect(heard.join('\n')).to.not.include('Between us.')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('works without a script: sending, marking as read, handing over', async () => {
    await answer(await stage.scene.visit('admin'), id, 'It is.')
    const scriptless = { javaScriptEnabled: false, viewport: phone }
    const client = await opened('owner', scriptless)
    await client.getByRole('button', { name: 'Mark as read' }).click()
    await client.waitForLoadState()
    expect(await client.getByRole('button', { name: 'Mark as read' }).count()).to.equal(0)
    await field(client).fill('Thank you.')
    await client.getByRole('button', { name: 'Send' }).click()
    await client.locator('#talk').getByText('Thank you.').waitFor()

    const staff = await opened('admin', scriptless)
    await staff.locator('#talk').getByText('read by Nadia').waitFor()
    await staff.locator('#hand-over summary').click()
    await staff.getByLabel('Who answers').selectOption({ label: 'Nobody in particular' })
    await staff.getByRole('button', { name: 'Hand over', exact: true }).click()
    await staff.locator('summary[aria-label^="Nobody has it"]').waitFor()
    await field(staff).fill('Between us.')
    await staff.getByLabel('Internal note').check()
    await staff.getByRole('button', { name: 'Send' }).click()
    await staff.locator('#talk > .internal').getByText('Between us.').waitFor()
    await client.reload()
    expect(await client.content()).to.not.include('Between us.')
    expect(stage.complaints()).to.deep.equal([])
  })

  it('is written with the keyboard alone', async () => {
    const page = await opened('owner')
    for (let at = 0; (await page.evaluate(() => document.activeElement?.id)) !== 'say'; at++) {
      expect(at).to.be.below(60)
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => probes.focusTrouble())).to.be.oneOf(['', 'is nowhere'])
    }
    await page.keyboard.type('One line')
    await page.keyboard.press('Enter')
    await page.keyboard.type('and another')
    await page.keyboard.press('Control+Enter')
    await page.locator('#talk:not(:has([data-outgoing]))').getByText('and another').waitFor()
    expect(await page.evaluate(() => document.activeElement?.id)).to.equal('say')
    expect(await stored()).to.deep.equal(['Is the ribbon in the price?', 'One line\nand another'])
    expect(stage.complaints()).to.deep.equal([])
  })

  it('has what was written after the session ended and one signed in again', async () => {
    const { owner } = stage.scene
    const them = owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .select('id')
    const page = await opened('owner')
    await field(page).fill('Written for an hour')
    await owner('portal.client_sessions').whereIn('person_id', them).del()
    await field(page).press('Control+Enter')
    await page.waitForURL('**/sign-in?*')
    await signIn(page, 'owner')
    await page.waitForURL(`**/messages/${id}*`)
    expect(await field(page).inputValue()).to.equal('Written for an hour')
    await field(page).press('Control+Enter')
    await page.locator('#talk:not(:has([data-outgoing]))').getByText('Written for an hour').waitFor()
    stage.complaints()
    expect((await said(page)).filter(it => it === 'Written for an hour')).to.have.length(1)
  })

  it('is not moved by what a colleague writes while one reads above', async () => {
    const member = await stage.scene.visit('member')
    for (let at = 0; at < 25; at++) await write(member, id, `Message ${at}\nof several\nlines`)
    const page = await opened('owner', { viewport: phone })
    const scroll = page.locator('.thread > .scroll')
    await scroll.evaluate(it => it.scrollTo({ top: -900 }))
    const top = () => page.getByText('Message 12').evaluate(it => Math.round(it.getBoundingClientRect().top))
    const before = await top()
    await write(member, id, 'A new one')
    await page.locator('#talk').getByText('A new one').waitFor()
    expect(Math.abs((await top()) - before)).to.be.below(3)
  })
})
