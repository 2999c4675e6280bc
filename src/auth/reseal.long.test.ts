import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { adapter } from '../../demo/adapter/adapter.ts'
import { portalUrl } from '../../demo/portal-database.ts'
import { password, testTime, urlOf } from '../../test/database.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'
import { resealAll, secretsFrom } from '../cli/secrets.ts'
import { encryptedFiles, filesIn } from '../index.ts'
import { type KeyUse, seal, unsealOrUndefined, unsealWith } from '../platform/crypto.ts'
import { reseal } from './reseal.ts'

const [older, newer] = ['the older secret, long enough for it', 'the newer secret, long enough for it']
const settings = '/settings/client-portal'

/** A portal without any sealed values yet. */
async function unsealed(options: Parameters<typeof open>[0]) {
  const scene = await open(options)
  await scene.owner('portal.client_keys').delete()
  await scene.owner('portal.secret_in_use').delete()
  return scene
}

describe('a secret', () => {
  afterEach(leave)

  it('can be retired: all that it sealed is sealed anew, and goes on working', async () => {
    const before = await unsealed({ secrets: [older], mail: { from: 'a@b.example', url: 'smtp://127.0.0.1:1' } })
    const [owner, admin] = [await before.visit('owner'), await before.visit('admin')]
    const { key, recovery } = await addFactor(owner)
    const place = await customerCode(before)
    await accept(owner)
    const signature = await until(async () => {
      const row = await before.owner('portal.client_signatures').where({ act: 'accepted' }).first()
      return row?.sealed && row
    })
    const code = codeIn((await admin.at(place)).text)
    expect(await before.owner('portal.client_outbox').whereNotNull('sealed')).to.not.be.empty
    await before.portal.close()

    const totals = await Promise.all([1, 2].map(() => reseal(before.database, [newer, older])))
    const values = (await before.owner('portal.client_outbox').whereNotNull('sealed')).length + 3
    expect(totals.reduce((sum, it) => sum + it.anew, 0)).to.equal(values)
    expect(totals.map(it => it.lost)).to.deep.equal([0, 0])
    expect(await reseal(before.database, [newer, older])).to.deep.equal({ anew: 0, lost: 0 })
    expect(await reseal(before.database, [newer])).to.deep.equal({ anew: 0, lost: 0 })

    const after = await open({ on: before, secrets: [newer], mail: 'kept' })
    const me = await after.visit()
    const { email } = whoIs('owner')
    const asked = await me.post('/sign-in', { email, password: whoIs('owner').password })
    expect(asked.headers.location).to.equal('/portal/brightside/sign-in/second-factor')
    const typed = new TOTP({ secret: key }).generate({ timestamp: testTime() })
    expect((await me.post('/sign-in/second-factor', { code: typed })).headers.location).to.equal('/portal/brightside/')
    const other = await after.visit()
    await other.post('/sign-in', { email, password: whoIs('owner').password })
    expect((await other.post('/sign-in/second-factor', { code: recovery })).status).to.equal(303)
    expect((await other.get('/account')).status).to.equal(200)
    expect(codeIn((await (await after.visit('admin')).at(place)).text)).to.equal(code)
    expect(await after.owner('portal.client_keys').select('id')).to.have.length(1)
    await accept(me)
    const next = await until(async () => {
      const row = await after
        .owner('portal.client_signatures')
        .where({ act: 'accepted' })
        .orderBy('sequence', 'desc')
        .first()
      return row.id !== signature.id && row.sealed && row
    })
    expect(next.head_key).to.equal(signature.head_key)
  })

  it('that is missing is reported, and the command says what to do', async () => {
    const scene = await unsealed({ secrets: [older] })
    await customerCode(scene)
    const folder = filesIn(mkdtempSync(join(tmpdir(), 'portico-files-')))
    await encryptedFiles(folder, [older]).write('31/x', Readable.from([Buffer.from('a file')]))
    const config = (secrets: string[]) => ({
      ...{ ownerUrl: urlOf(scene.name), url: portalUrl(urlOf(scene.name), password) },
      ...{ crm: adapter, address: 'https://crm.example/portal', secrets, files: encryptedFiles(folder, secrets) },
    })
    const said = (secrets: string[]) => resealAll(config(secrets)).catch(error => error.message)
    expect(await said([newer])).to.equal(
      'The portal uses another secret. Add it to PORTAL_SECRETS. If nobody has it any more, run portico reseal --lost.',
    )
    expect(await said([newer, older])).to.equal(
      'Sealed 2 values anew with the first secret. Everything is sealed with it: the older secrets can be taken out.',
    )
    expect(await text(await encryptedFiles(folder, [newer]).read('31/x'))).to.equal('a file')
    const lost = seal('ABCDE23456', ['a third secret that nobody has any more'], 'customer code')
    await scene.owner('portal.client_registration_codes').update({ sealed: lost })
    expect(await said([newer, older])).to.equal(
      'Sealed 0 values anew with the first secret. 1 value cannot be opened by any of these secrets. Add the secret that sealed them; if it is lost, they stay closed.',
    )
  })

  it('before others in the list is used at once, by a process that seals the rest anew in the background', async () => {
    const before = await unsealed({ secrets: [older] })
    await customerCode(before)
    await before.portal.close()
    const scene = await open({ on: before, secrets: [newer, older] })
    const sealed = async () => (await scene.owner('portal.client_registration_codes').first('sealed')).sealed
    await until(async () => unsealOrUndefined(await sealed(), [newer], 'customer code'))
    const told = await until(() => scene.log.find(it => it.sentence === 'sealed anew with the first secret'))
    expect(told.facts).to.deep.equal({ anew: 1 })
  })

  it('has a key for each use, and what was sealed before that is still opened', () => {
    const uses: KeyUse[] = ['mail', 'second factor', 'signing key', 'public link', 'customer code']
    for (const use of uses) {
      const sealed = seal('a text', [older], use)
      for (const other of uses)
        expect(unsealOrUndefined(sealed, [older], other)).to.equal(other === use ? 'a text' : undefined)
      expect(unsealWith(sealed, [newer, older], use)).to.deep.equal({ text: 'a text', current: false })
      expect(unsealWith(sealed, [older, newer], use)).to.deep.equal({ text: 'a text', current: true })
    }
    // Sealed by version 0.1.0 of 21 November 2026.
    const shared = Buffer.from(sharedSeal, 'base64')
    expect(unsealWith(shared, [older], 'signing key')).to.deep.equal({ text: 'a text', current: false })
  })

  it('is read from the environment, one or several, and never a short one', () => {
    expect(
      secretsFrom({ PORTAL_SECRETS: ` ${newer.replaceAll(' ', '-')}\n${older.replaceAll(' ', '-')} ` }),
    ).to.have.length(2)
    expect(secretsFrom({ PORTAL_SECRET: older })).to.deep.equal([older])
    expect(() => secretsFrom({})).to.throw('Set PORTAL_SECRET')
    expect(() => secretsFrom({ PORTAL_SECRETS: 'short' })).to.throw('32 characters or more')
  })
})

const sharedSeal = 'iv+zI7xYcJJ942WzCu+Z20LMZnJxh245Be5fH0A09dBHhQ=='

async function addFactor(who: Awaited<ReturnType<Scene['visit']>>) {
  await who.post('/account/second-factor')
  const key = /secret=([A-Z2-7]+)/.exec((await who.get('/account/second-factor')).text)![1]!
  const code = new TOTP({ secret: key }).generate({ timestamp: testTime() - 30_000 })
  const { status, text } = await who.post('/account/second-factor/confirmation', { code })
  expect(status).to.equal(200)
  const [, recovery = ''] = /<bdi>([A-Z2-9]{5}-[A-Z2-9]{5})<\/bdi>/.exec(text) ?? []
  return { key, recovery }
}

/** Returns the code of Acme Bakery, as its people's page shows it. */
async function customerCode(scene: Scene): Promise<string> {
  const admin = await scene.visit('admin')
  await admin.postAt(`${settings}/sign-in`, { 'was.sign-in.registration': 'off', 'sign-in.registration': 'on' })
  const { id } = await scene.owner('public.clients').where({ company_name: 'Acme Bakery' }).first('id')
  const place = `${settings}/people/invite/${id}`
  const made = await admin.postAt(`${place}/code`)
  // Without mail, the page does not exist.
  const code = { code_hash: 'x', sealed: seal('ABCDE23456', [older], 'customer code'), changed_by: 'a test' }
  if (made.status === 404)
    await scene.owner('portal.client_registration_codes').insert({
      ...code,
      workspace_id: '1',
      client_id: String(id),
      client_name: 'Acme Bakery',
    })
  return place
}

const codeIn = (text: string) => />([A-Z2-9]{5}-[A-Z2-9]{5})</.exec(text)?.[1]

/** Accepts the first proposal that waits for a response. */
async function accept(who: Awaited<ReturnType<Scene['visit']>>) {
  const [{ id }] = (await who.api('/proposals?status=open')).body.items
  const { body } = await who.api(`/proposals/${id}/acceptance`)
  const form = { seen: body.seen, agree: 'on', how: 'typed', typed: whoIs('owner').name }
  expect((await who.post(`/proposals/${id}/acceptance`, form)).status).to.equal(303)
}
