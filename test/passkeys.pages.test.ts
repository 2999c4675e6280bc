import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { CDPSession, Page } from 'playwright-core'
import { invite } from '../src/auth/invitations.ts'
import { within } from '../src/platform/database.ts'
import { build, type Stage } from './pages/browsing.ts'
import { leave, whoIs } from './visit.ts'

const { email, password } = whoIs('owner')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Of a page that no address leads to: what axe finds, and what does not fit the narrowest phone. */
async function faultsOf(page: Page): Promise<string[]> {
  const size = page.viewportSize()
  await page.setViewportSize({ width: 320, height: 640 })
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run({ resultTypes: ['violations'] }))
  const wide = await page.evaluate(() => [...probes.sticksOut(), ...probes.spills(), ...probes.tooSmall()])
  if (size) await page.setViewportSize(size)
  return [
    ...violations.map((it: { id: string; nodes: { html: string }[] }) => `${it.id}: ${it.nodes[0]?.html}`),
    ...wide,
  ]
}

/** A key in a device that knows its person, as Chromium pretends one. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
  return { cdp, id: authenticatorId }
}

describe('a passkey', function () {
  this.timeout(120_000)
  // A browser on a busy machine is late at times.
  this.retries(1)
  let stage: Stage
  let home: string

  beforeEach(async () => {
    stage = await build()
    // An address of digits has no passkeys.
    home = stage.homeOf('owner').replace('127.0.0.1', 'localhost')
  })
  afterEach(async () => {
    await stage.close()
    await leave()
  })

  const byPassword = async (page: Page) => {
    await page.goto(`${home}/sign-in`)
    await page.fill('#email', email)
    await page.fill('#password', password)
    await page.locator('form .btn-primary').click()
  }
  const inside = (page: Page) => page.waitForURL(`${home}/`)

  const add = async (page: Page, name: string) => {
    await page.goto(`${home}/account/passkeys`)
    await page.fill('#name', name)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
  }

  it('is chosen with an invitation, added on the next page, and signs in from then on', async () => {
    const { scene } = stage
    const { id } = await scene.owner('clients').where({ company_name: 'Acme Bakery' }).first('id')
    const client = { id: String(id), name: 'Acme Bakery' }
    const invited = { email: 'noor@acmebakery.example', name: 'Noor', client, contact: null, role: 'member' as const }
    const token = await within(scene.database, { workspace: '1' }, tx =>
      invite(tx, '1', { ...invited, invitedBy: 'Marta' }),
    )
    const page = await stage.visit()
    await authenticator(page)
    await page.goto(`${home}/invitation/${token}`)
    expect(await page.getByLabel('Choose a password', { exact: true }).isVisible()).to.equal(true)
    await page.locator('label[for=way-passkey]').click()
    expect(await page.getByLabel('Choose a password', { exact: true }).isVisible()).to.equal(false)
    expect(await faultsOf(page)).to.deep.equal([])
    await page.getByRole('button', { name: 'Open the portal' }).click()
    await page.getByRole('heading', { name: 'Add your passkey' }).waitFor()
    expect(await page.inputValue('#name')).to.match(/^Chrome on /)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('heading', { name: 'The second factor is on' }).waitFor()

    await page.context().clearCookies()
    await page.goto(`${home}/sign-in`)
    await inside(page)
  })

  it('is added under a name, signs in without anything typed, and is listed with its last use', async () => {
    const page = await stage.visit()
    const { cdp, id } = await authenticator(page)
    await byPassword(page)
    await inside(page)
    await add(page, 'My laptop <b>')
    await page.getByRole('heading', { name: 'The second factor is on' }).waitFor()
    expect(await page.locator('.codes li').count()).to.equal(10)
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })
    expect(credentials).to.have.length(1)
    expect(credentials[0]).to.include({ rpId: 'localhost', isResidentCredential: true })

    await page.context().clearCookies()
    await page.goto(`${home}/sign-in?next=${encodeURIComponent(new URL(`${home}/invoices`).pathname)}`)
    // The e-mail field offers it by itself, and this device takes the offer.
    await page.waitForURL('**/invoices')
    await page.goto(`${home}/account/passkeys`)
    const text = await page.locator('main').textContent()
    expect(text).to.include('My laptop <b>').and.include('last used')
    const row = await stage.scene.owner('portal.client_factors').where({ kind: 'passkey' }).first('*')
    expect(row.details).to.deep.include({ host: 'localhost' })
    expect(JSON.stringify(await stage.scene.owner('portal.client_sessions').select('sess'))).to.include(
      '"by":"passkey"',
    )

    await page.getByRole('button', { name: 'Remove' }).click()
    await page.waitForURL('**/account/passkeys?saved')
    expect(await stage.scene.owner('portal.client_factors')).to.be.empty
    expect(
      await stage.scene
        .owner('portal.client_outbox')
        .whereIn('kind', ['passkey-added', 'factor-removed', 'factor-added'])
        .orderBy('id')
        .pluck('kind'),
    ).to.deep.equal(['passkey-added', 'factor-removed'])
    expect(stage.complaints()).to.deep.equal([])
  })

  it('is the second factor of a password, and what some actions ask for, also where it is no way in alone', async () => {
    const page = await stage.visit(undefined, { bypassCSP: true })
    await authenticator(page)
    await byPassword(page)
    await inside(page)
    await add(page, 'Phone')
    await page.getByRole('heading', { name: 'The second factor is on' }).waitFor()
    expect(await faultsOf(page)).to.deep.equal([])
    const admin = await stage.scene.visit('admin')
    await admin.postAt('/settings/client-portal/sign-in', { 'was.sign-in.passkey': 'on' })
    await page.context().clearCookies()
    // Without the offer in the e-mail field, which would be quicker than the password.
    await page.addInitScript(() => {
      Object.assign(Reflect.get(globalThis, 'PublicKeyCredential'), {
        isConditionalMediationAvailable: async () => false,
      })
    })
    await byPassword(page)
    await page.waitForURL('**/sign-in/second-factor')
    await page.goto(`${home}/invoices`)
    await page.waitForURL('**/sign-in?next=*')
    await page.goto(`${home}/sign-in/second-factor`)
    expect(await faultsOf(page)).to.deep.equal([])
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await inside(page)

    await admin.postAt('/settings/client-portal/sign-in', {
      'was.step-up.team.change': 'verification',
      'step-up.team.change': 'second',
    })
    await stage.scene.owner('portal.client_sessions').update({
      sess: stage.scene.owner.raw(
        `case when sess ->> 'person' is null then sess else jsonb_set(sess, '{verifications}', '[{"by": "password", "at": 1}]') end`,
      ),
    })
    await page.goto(`${home}/team`)
    await page.fill('#name', 'Jo Vos')
    await page.fill('#email', 'jo@x.example')
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByRole('heading', { name: 'Confirm that it’s you' }).waitFor()
    expect(await faultsOf(page)).to.deep.equal([])
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL('**/team?done=invited')
    expect(await stage.scene.owner('portal.client_invitations').pluck('email')).to.deep.equal(['jo@x.example'])
    expect(stage.complaints().filter(it => !it.includes('403'))).to.deep.equal([])
  })

  it('answers once what was asked, here and not long ago, and opens nothing else', async () => {
    const page = await stage.visit()
    await authenticator(page)
    await byPassword(page)
    await inside(page)
    await add(page, 'Phone')
    await page.getByRole('heading', { name: 'The second factor is on' }).waitFor()
    const answer = (path: string) =>
      page.evaluate(async (address: string) => {
        const options = await (await fetch(address)).json()
        const browser: any = globalThis
        const publicKey = browser.PublicKeyCredential.parseRequestOptionsFromJSON(options)
        return JSON.stringify((await browser.navigator.credentials.get({ publicKey })).toJSON())
      }, path)
    const nobody = await stage.scene.visit()
    const host = new URL(home).host
    const send = (credential: string, workspace = 'brightside', at = host) =>
      nobody.postAt(`/portal/${workspace}/sign-in/passkey`, { credential }).set('Host', at)

    const one = await answer(`${home}/sign-in/passkey`)
    expect((await send(one, 'ledgerline')).status, 'another workspace').to.equal(422)
    expect((await send(one, 'brightside', 'evil.example')).status, 'another host').to.equal(422)
    const statuses = (await Promise.all([send(one), send(one)])).map(it => it.status)
    expect(statuses.sort(), 'two at once').to.deep.equal([303, 422])
    expect((await send(one)).status, 'again').to.equal(422)
    const changed = JSON.parse(await answer(`${home}/sign-in/passkey`))
    changed.response.signature = `${changed.response.signature.slice(0, -6)}AAAAAA`
    for (const it of [JSON.stringify(changed), 'nonsense', '{}', '[]', ''])
      expect(await send(it), it.slice(0, 20))
        .to.include({ status: 422 })
        .and.show('This passkey isn’t registered here.')

    await stage.scene.owner('portal.client_users').where({ email }).update({ suspended_at: new Date() })
    expect((await send(await answer(`${home}/sign-in/passkey`))).status, 'suspended').to.equal(422)
    await stage.scene.owner('portal.client_users').where({ email }).update({ suspended_at: null })
    const admin = await stage.scene.visit('admin')
    await admin.postAt('/settings/client-portal/sign-in', { 'was.sign-in.passkey': 'on' })
    expect((await send('x')).headers.location, 'not offered').to.equal('/portal/brightside/sign-in')
    const billing = whoIs('billing')
    const person_id = (await stage.scene.owner('portal.client_users').where({ email: billing.email }).first('id')).id
    await stage.scene.owner('portal.client_factors').insert({
      ...{ workspace_id: '1', id: 'another', person_id, kind: 'passkey', confirmed_at: new Date() },
    })
    const half = await nobody.post('/sign-in', { email: billing.email, password: billing.password })
    expect(half.headers.location).to.include('second-factor')
    const theirs = await send(await answer(`${home}/sign-in/passkey`))
    expect(theirs.status, 'somebody else’s').to.equal(422)
    await stage.scene.owner('portal.client_factors').where({ id: 'another' }).del()
    const stranger = await stage.scene.visit('billing')
    const { id } = await stage.scene.owner('portal.client_factors').where({ kind: 'passkey' }).first('id')
    expect((await stranger.post(`/account/passkeys/${id}/removal`)).status).to.equal(404)
  })

  it('lets staff of a portal that stands alone in, and is removed only by a factor', async () => {
    const admin = whoIs('admin')
    const staff = `${new URL(home).origin}/staff/brightside`
    const page = await stage.visit(undefined, { bypassCSP: true })
    // Without the offer in the e-mail field, which would be quicker than the password.
    await page.addInitScript(() => {
      Object.assign(Reflect.get(globalThis, 'PublicKeyCredential'), {
        isConditionalMediationAvailable: async () => false,
      })
    })
    await authenticator(page)
    const password = async () => {
      await page.goto(`${staff}/sign-in`)
      await page.fill('#email', admin.email)
      await page.fill('#password', admin.password)
      await page.locator('form .btn-primary').click()
    }
    // The settings area itself is that of the CRM here.
    const settings = () => page.waitForURL(url => !url.pathname.startsWith('/staff/'))
    const addStaffs = async (name: string) => {
      await page.goto(`${staff}/account/passkeys`)
      await page.fill('#name', name)
      await page.getByRole('button', { name: 'Add a passkey' }).click()
    }
    await password()
    await settings()
    await addStaffs('Desk')
    await page.getByRole('heading', { name: 'The second factor is on' }).waitFor()
    expect(await page.locator('.codes li').count()).to.equal(10)
    expect(await faultsOf(page)).to.deep.equal([])
    const key = await stage.scene.owner('portal.client_staff_factors').where({ kind: 'passkey' }).first('*')
    expect(key.details).to.deep.include({ host: 'localhost' })

    await page.context().clearCookies()
    await password()
    await page.waitForURL('**/staff/brightside/sign-in/second-factor')
    expect(await faultsOf(page)).to.deep.equal([])
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await settings()

    await page.context().clearCookies()
    await page.goto(`${staff}/account`)
    await page.waitForURL('**/staff/brightside/sign-in?next=*')
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(`${staff}/account`)
    await page.goto(`${home}/sign-in`)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.getByText('This passkey isn’t registered here.').waitFor()

    await stage.scene.pass(11)
    await page.goto(`${staff}/account/passkeys`)
    expect(await page.locator('main').textContent())
      .to.include('Desk')
      .and.include('last used')
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('heading', { name: 'Confirm that it’s you' }).waitFor()
    expect(await page.getByRole('button', { name: 'Use my password instead' }).count()).to.equal(0)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL('**/account/passkeys?saved')
    expect(await stage.scene.owner('portal.client_staff_factors')).to.be.empty
  })
})
