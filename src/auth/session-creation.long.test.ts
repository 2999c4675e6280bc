import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { testTime } from '../../test/database.ts'
import { Custom, identityProvider, type Provider, Redirecting } from '../../test/identity-provider.ts'
import { person as browser, share } from '../../test/links.ts'
import { routesOf } from '../../test/routes.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../platform/database.ts'
import { invite } from './invitations.ts'
import { issueToken } from './tokens.ts'

const { email, password } = whoIs('owner')
const secret = 'a secret of at least thirty-two characters'
const workspace = '1'

interface Stage {
  scene: Scene
  /** The account with the second factor. */
  id: string
  who: Visitor
  mailed(kind: Parameters<typeof issueToken>[1]['kind']): ReturnType<typeof issueToken>
  invitation(): Promise<string>
}

/** Follows each route as far as it leads without the second factor. */
const doors: Record<string, (stage: Stage) => Promise<unknown>> = {
  '/:workspace/sign-in': ({ who }) => who.post('/sign-in', { email, password }),
  '/:workspace/sign-in/code': ({ who }) => who.post('/sign-in/code', { email }),
  '/:workspace/sign-in/code/:request': async ({ who, mailed }) => {
    const { id, code } = await mailed('sign-in')
    return who.post(`/sign-in/code/${id}`, { code })
  },
  '/:workspace/sign-in/link/:token': async ({ who, mailed }) =>
    who.post(`/sign-in/link/${(await mailed('sign-in')).token}`),
  '/:workspace/text-code': async ({ scene, id, who }) => {
    await allowTexts(scene, id)
    expect((await who.post('/text-code', { email })).headers.location).to.match(/text-code\/[0-9a-f-]{36}$/)
  },
  '/:workspace/text-code/:request': async ({ scene, id, who, mailed }) => {
    await allowTexts(scene, id)
    const texted = await mailed('text')
    const { headers } = await who.post(`/text-code/${texted.id}`, { code: texted.code })
    expect(headers.location).to.match(/sign-in\/second-factor$/)
  },
  '/:workspace/sign-in/second-factor': async ({ who }) => {
    await who.post('/sign-in', { email, password })
    return who.post('/sign-in/second-factor', { code: '000000' })
  },
  '/:workspace/sign-in/passkey': async ({ who }) => {
    await who.post('/sign-in', { email, password })
    return who.post('/sign-in/passkey', { credential: '{}' })
  },
  '/:workspace/sign-in/with/:name': ({ who }) => who.post('/sign-in/with/house'),
  '/:workspace/sign-in/with/:name/callback': async ({ who }) => {
    const address = (await who.post('/sign-in/with/there')).headers.refresh!.replace('0;url=', '')
    const back = (await fetch(address, { redirect: 'manual' })).headers.get('location')!
    return who.post('/sign-in/with/there/callback', Object.fromEntries(new URL(back).searchParams))
  },
  '/:workspace/forgot-password': ({ who }) => who.post('/forgot-password', { email }),
  '/:workspace/reset-password/:token': async ({ who, mailed }) =>
    who.post(`/reset-password/${(await mailed('reset')).token}`, { password: 'lantern gravel otter teapot' }),
  '/:workspace/unlock/:token': async ({ who, mailed }) => who.post(`/unlock/${(await mailed('unlock')).token}`),
  '/:workspace/register': ({ who }) => who.post('/register', { name: 'Nadia', email, code: 'x' }),
  '/:workspace/register/:token': ({ who }) => who.post('/register/nonsense'),
  '/:workspace/invitation/:token': async ({ who, invitation }) => {
    const path = await invitation()
    await who.get(path)
    return who.post(path, { name: 'Nadia', password: 'kettle-marble-orbit-97-fern' })
  },
  '/:workspace/invitation/:token/membership': async ({ who, invitation }) => {
    const path = await invitation()
    await who.post('/sign-in', { email, password })
    return who.post(`${path}/membership`)
  },
  '/:workspace/invitation/:token/renewal': async ({ who, invitation }) => who.post(`${await invitation()}/renewal`),
  '/:workspace/api/v1/codes': ({ who }) => who.agent.post('/portal/brightside/api/v1/codes').send({ email }),
  '/:workspace/api/v1/tokens': async ({ who, mailed }) => {
    const { id, code } = await mailed('sign-in')
    for (const proof of [
      { grant: 'password', email, password },
      { grant: 'code', request: id, code },
      { grant: 'refresh', refresh_token: `ptr_${'0'.repeat(36)}_${'x'.repeat(43)}` },
    ])
      expect((await who.agent.post('/portal/brightside/api/v1/tokens').send(proof)).body).to.not.have.property(
        'access_token',
      )
  },
  '/:workspace/link/open/:link/another-address': async ({ scene }) => {
    const guest = await browser(scene)
    const { path } = await share(scene)
    const [, base = ''] = /^(.*\/open\/[\w-]+)\//.exec((await guest.get(path)).headers.location ?? '') ?? []
    return guest.postAt(`${base}/another-address`)
  },
  '/:workspace/link/open/:link/code': async ({ scene }) => {
    const guest = await browser(scene)
    const here = (await guest.get((await share(scene)).path)).headers.location!
    const base = here.replace(/\/proposals\/.*/, '/code')
    await guest.postAt(base, { 'step-up.show': 'code', 'step-up.email': email })
    return guest.get('/account').expect(303)
  },
  '/:workspace/unsubscribe/:token': ({ who }) => who.post('/unsubscribe/nonsense'),
  '/:workspace/verify': ({ who }) => who.post('/verify'),
  '/:workspace/sign-out': ({ who }) => who.post('/sign-out', { next: '/portal/brightside/account' }),
  '/:workspace/address/:token': async ({ who, mailed }) => who.post(`/address/${(await mailed('address')).token}`),
  // These two remove everything added later, the second factor too, so they come last.
  '/:workspace/address/undo/:token': async ({ who, mailed }) =>
    who.post(`/address/undo/${(await mailed('undo')).token}`),
  '/:workspace/not-me/:token': async ({ who, mailed }) => who.post(`/not-me/${(await mailed('device')).token}`),
}

async function allowTexts({ owner }: Scene, person: string) {
  const by = { workspace_id: '1', changed_by: 'Marta' }
  await owner('portal.client_portal_settings').insert({ ...by, name: 'sms', value: 'true' })
  await owner('portal.client_plugin_settings').insert({ ...by, name: 'sms.codes', value: 'true' })
  const number = { number: '+31612345678', confirmed_at: '2026-11-02T10:00Z', sign_in: true }
  await owner('portal.client_sms_numbers').insert({ workspace_id: '1', person_id: person, ...number })
}

describe('every sign-in route', () => {
  let provider: Provider
  before(async () => {
    provider = await identityProvider({ email, emailVerified: true })
  })
  after(() => provider.close())
  afterEach(leave)

  const openAll = () => {
    const house = { name: 'house', title: 'House', strategy: new Custom(() => ({ email, emailVerified: true })) }
    const there = { name: 'there', title: 'There', strategy: new Redirecting(provider) }
    return open({ mail: 'kept', signIn: { strategies: [house, there] } })
  }

  it('that is open to anybody is tested here', async () => {
    const { portal } = await openAll()
    const posts = routesOf(portal.clients).filter(it => it.rule === 'anybody' && it.method !== 'get')
    expect([...new Set(posts.map(it => it.path))]).to.have.members(Object.keys(doors))
  })

  for (const [path, walk] of Object.entries(doors))
    it(`leads nobody past a second factor: ${path.replace('/:workspace', '')}`, async () => {
      const scene = await openAll()
      const { id } = await scene.owner('portal.client_users').where({ email }).first('id')
      const me = await scene.visit('owner')
      await me.post('/account/second-factor')
      const key = /secret=([A-Z2-7]+)/.exec((await me.get('/account/second-factor')).text)![1]!
      const code = new TOTP({ secret: key }).generate({ timestamp: testTime() })
      expect((await me.post('/account/second-factor/confirmation', { code })).status).to.equal(200)
      await scene.owner('portal.client_sessions').delete()
      const inside = <T>(work: (tx: Parameters<typeof issueToken>[0]) => Promise<T>) =>
        within(scene.database, { workspace }, work)
      const stage: Stage = {
        scene,
        id,
        who: await scene.visit(),
        mailed: kind => inside(tx => issueToken(tx, { workspace, kind, person: id, email, minutes: 10, secret })),
        async invitation() {
          const { id: client } = await scene.owner('clients').where({ company_name: 'Halloran & Sons' }).first('id')
          const it = { email, name: 'N', client: { id: String(client), name: 'Halloran & Sons' }, contact: null }
          const token = await inside(tx => invite(tx, workspace, { ...it, role: 'viewer', invitedBy: 'Declan' }))
          return `/invitation/${token}`
        },
      }
      // Somebody who joined by a code has no password: nothing may set one.
      if (/invitation\/:token$/.test(path)) await scene.owner('portal.client_users').update({ password_hash: null })
      await walk(stage)

      expect(await scene.owner('portal.client_sessions').where({ person_id: id })).to.be.empty
      expect(await scene.owner('portal.client_api_tokens').where({ person_id: id })).to.be.empty
      for (const page of ['/account', '/invoices', '/api/v1/me'])
        expect((await stage.who.get(page)).status, page).to.be.oneOf([303, 401])
      if (/invitation/.test(path))
        expect(await scene.owner('portal.client_memberships').where({ person_id: id })).to.have.length(1)
    })

  it('behind a step-up is closed to sessions with only the first factor', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    await me.post('/account/second-factor')
    const key = /secret=([A-Z2-7]+)/.exec((await me.get('/account/second-factor')).text)![1]!
    await me.post('/account/second-factor/confirmation', {
      code: new TOTP({ secret: key }).generate({ timestamp: testTime() }),
    })
    const half = await scene.visit()
    await half.post('/sign-in', { email, password })
    const proof = { 'step-up.by': 'password', 'step-up.password': password, next: '/portal/brightside/account' }
    for (const path of ['/step-up', '/account/tokens', '/account/second-factor', '/account/passkeys'])
      expect((await half.post(path, { ...proof, 'step-up.action': 'account.factor' })).headers.location, path).to.match(
        /\/sign-in(\?|$)/,
      )
  })
})
