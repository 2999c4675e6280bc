import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { openBrowser } from '../../test/browser.ts'
import { testTime } from '../../test/database.ts'
import { Custom, identityProvider, type Provider, Redirecting } from '../../test/identity-provider.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import type { SignInStrategy } from './sign-in-strategy.ts'

const { email } = whoIs('owner')
const home = 'https://crm.example/portal/brightside'

describe('a sign-in strategy of the CRM', () => {
  let provider: Provider
  beforeEach(async () => {
    provider = await identityProvider({ email, emailVerified: true })
  })
  afterEach(async () => {
    provider.close()
    await leave()
  })

  const house = (more: Partial<SignInStrategy> = {}): SignInStrategy => ({
    ...{ name: 'house', title: 'House account', strategy: new Redirecting(provider), ...more },
  })
  const withStrategies = (...strategies: SignInStrategy[]) => open({ mail: 'kept', signIn: { strategies } })
  const decided = (decide: Custom['decide']) => house({ strategy: new Custom(decide) })

  /** Goes to the identity provider, and returns where it redirects the browser back to. */
  async function goThere(who: Visitor, next?: string): Promise<string> {
    const left = await who.post('/sign-in/with/house', next ? { next } : {})
    expect(left.status).to.equal(200)
    const { headers } = await fetch(addressIn(left), { redirect: 'manual' })
    const back = headers.get('location') ?? ''
    expect(back.startsWith(`${home}/sign-in/with/house/callback?`), back).to.equal(true)
    return back.slice(home.length)
  }
  const addressIn = (left: { headers: Record<string, string> }) => left.headers.refresh?.replace('0;url=', '') ?? ''

  const signedIn = async (who: Visitor) => (await who.get('/account')).status === 200
  const refused = async (who: Visitor, sentence: string) => {
    const answer = await who.get(await goThere(who))
    expect(answer).to.include({ status: 422 }).and.show(sentence, 'Sign in with House account')
    expect(await signedIn(who)).to.equal(false)
  }

  it('signs in people with an account, continues to their page, and is logged', async () => {
    const scene = await withStrategies(house())
    const who = await scene.visit()
    expect(await who.get('/sign-in')).to.show('Sign in with House account', '/portal/brightside/sign-in/with/house')

    const back = await goThere(who, '/portal/brightside/invoices')
    expect(await signedIn(who)).to.equal(false)
    const answer = await who.get(back)

    expect(answer).to.include({ status: 303 }).and.nested.include({ 'headers.location': '/portal/brightside/invoices' })
    expect(await who.get('/account')).to.show('Nadia El-Khoury')
    const [{ sess, person_id: person }] = await scene.owner('portal.client_sessions')
    expect(sess.verifications.map((it: object) => ({ ...it, at: 0 }))).to.deep.equal([
      { by: 'custom', at: 0, title: 'House account' },
    ])
    const [row] = await scene.owner('portal.client_activity_logs').where({ event: 'account.signed-in-with' })
    expect(row).to.deep.include({
      actor_id: person,
      actor_name: 'Nadia El-Khoury',
      subject: { title: 'House account' },
    })
    const { text: figures } = await who.at('/portal/-/metrics')
    expect(figures).to.include('portico_sign_ins_total{outcome="in"} 1').and.not.include('outcome="refused"')
    const admin = await scene.visit('admin')
    expect(await admin.at('/settings/client-portal/activity')).to.show('signed in with House account')
    const spanish = await (await scene.visit()).get('/sign-in').set('Accept-Language', 'es')
    expect(spanish).to.show('Iniciar sesión con House account')
  })

  it('leaves by a page, which a browser follows to the other site and back', async function () {
    this.timeout(60_000)
    const server = createServer((req, res) => scene.app(req, res))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const scene = await open({ mail: 'kept', address: `${here}/portal`, signIn: { strategies: [house()] } })
    const browser = await openBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(`${here}/portal/brightside/sign-in`)
      await page.getByRole('button', { name: 'Sign in with House account' }).click()
      await page.waitForURL(`${here}/portal/brightside/`)
      expect(await page.textContent('body')).to.include('Nadia')
      expect(await page.context().cookies()).to.satisfy((its: any[]) => its.every(it => it.httpOnly))
    } finally {
      await browser.close()
      server.close()
    }
  })

  it('accepts the response only in the same browser, once, in time, and with its state', async () => {
    const careless = house({ strategy: new Redirecting(provider, { careless: true }) })
    const scene = await withStrategies(careless, { ...careless, name: 'there' })
    const cannot = 'This sign-in can’t be completed here.'
    const shut = async (who: Visitor, path: string, cookie?: string) => {
      const asked = who.get(path)
      expect(await (cookie ? asked.set('Cookie', cookie) : asked))
        .to.include({ status: 403 })
        .and.show(cannot)
      expect(await signedIn(who)).to.equal(false)
    }

    const who = await scene.visit()
    const back = await goThere(who)
    await shut(who, back.replace(/state=\w{4}/, 'state=0000'))
    await shut(who, back.replace(/&state=\w+/, ''))
    await shut(await scene.visit(), back)

    const other = await scene.visit()
    await goThere(other)
    await shut(other, back)

    const sent = Object.fromEntries(new URLSearchParams(back.split('?')[1]))
    const begun = await scene.visit()
    expect((await begun.post('/sign-in/with/house', sent)).status).to.equal(200)
    expect((await begun.post(back.replace('/callback', ''))).status).to.equal(404)
    expect(await signedIn(begun)).to.equal(false)

    const kept = cookieOf(who)
    expect((await who.get(back)).status).to.equal(303)
    await who.post('/sign-out')
    await shut(who, back)
    await shut(await scene.visit(), back, kept)
    await shut(await scene.visit(), back, kept.replace(/.$/, 'x'))

    const late = await scene.visit()
    const slow = await goThere(late)
    await scene.pass(11)
    await shut(late, slow)

    const apart = await scene.visit()
    const right = await goThere(apart)
    await shut(await scene.visit(), right.replace('/house/', '/there/'), cookieOf(apart))
    const { agent } = await scene.visit()
    expect((await agent.get(`/portal/harbor${right}`).set('Cookie', cookieOf(apart))).status).to.equal(403)
    expect((await apart.get(right)).status).to.equal(303)
  })

  /** The cookie that this browser keeps during the sign-in. */
  const cookieOf = ({ agent }: Visitor) => {
    const found = (agent.jar as any).getCookie('portico.with', {
      ...{ path: '/portal/brightside/sign-in/with/house/callback', domain: '127.0.0.1', secure: false, script: false },
    })
    return `portico.with=${found.value}`
  }

  it('checks its own state too, which it finds again in the session', async () => {
    const scene = await withStrategies(house())
    const who = await scene.visit()
    const back = await goThere(who)
    const twice = back.replace(/state=\w+/, 'state=0&$&')
    expect((await who.get(twice)).status).to.equal(403)
    expect((await who.get(back)).status).to.equal(303)
  })

  it('keeps its cookie from scripts, other sites and later days', async () => {
    const scene = await withStrategies(house())
    scene.app.set('trust proxy', true)
    const who = await scene.visit()
    const cookie = async (scheme: string) =>
      String((await who.post('/sign-in/with/house').set('X-Forwarded-Proto', scheme)).headers['set-cookie'])
    expect(await cookie('http')).to.match(
      /^portico\.with=[\w-]+; Max-Age=600; Path=\/portal\/brightside\/sign-in\/with\/house; .*HttpOnly; SameSite=Lax$/,
    )
    expect(await cookie('https')).to.match(/HttpOnly; Secure; SameSite=None$/)
    expect(await scene.owner('portal.client_sessions')).to.deep.equal([])
  })

  it('may be answered by a form of the other site, as SAML does, which opens nothing else', async () => {
    const scene = await withStrategies(house())
    const who = await scene.visit()
    const fields = Object.fromEntries(new URLSearchParams((await goThere(who)).split('?')[1]))
    const send = (path: string, form: object) => who.post(path, form).set('Sec-Fetch-Site', 'cross-site')
    expect((await send('/sign-in/with/house', {})).status).to.equal(403)
    expect((await send('/sign-in/with/house/callback', { ...fields, state: 'another' })).status).to.equal(403)
    expect((await send('/sign-in/with/house/callback', fields)).headers.location).to.equal('/portal/brightside/')
    expect(await signedIn(who)).to.equal(true)
    expect((await send('/sign-out', {})).status).to.equal(403)
  })

  it('opens no account, and none that is shut, or by an address that nobody has confirmed', async () => {
    const scene = await withStrategies(house())
    const counted = () =>
      Promise.all(['users', 'memberships', 'sessions'].map(it => scene.owner(`portal.client_${it}`)))
    const before = JSON.stringify(await counted())
    provider.who = { email: 'who@else.where', emailVerified: true }
    await refused(await scene.visit(), 'You have no account here yet.')
    provider.who = { email: whoIs('stranger').email, emailVerified: true }
    await refused(await scene.visit(), 'You have no account here yet.')
    for (const emailVerified of [false, undefined, 'yes' as never]) {
      provider.who = { email, emailVerified }
      await refused(await scene.visit(), 'Your e-mail address is not confirmed there.')
    }
    expect(JSON.stringify(await counted())).to.equal(before)

    provider.who = { email, emailVerified: true }
    await scene.owner('portal.client_users').where({ email }).update({ suspended_at: new Date() })
    await refused(await scene.visit(), 'Your access has been suspended.')
    await scene.owner('portal.client_users').update({ suspended_at: null })
    await scene.owner('portal.client_memberships').delete()
    await refused(await scene.visit(), 'You have no account here yet.')
    const failed = await scene.owner('portal.client_activity_logs').where({ event: 'account.sign-in-failed' })
    expect(failed.map(it => it.subject.email)).to.include.members(['who@else.where', email])
  })

  it('shows nothing to a contact who has left the CRM', async () => {
    const scene = await withStrategies(house())
    await scene.owner('contacts').where({ email }).update({ left_on: '2026-11-20' })
    const who = await scene.visit()
    await who.get(await goThere(who))
    expect(await signedIn(who)).to.equal(false)
    expect(await who.get('/sign-in')).to.show('Your access has ended.')
  })

  it('counts as the first factor only, where there is a second', async () => {
    const scene = await withStrategies(house())
    const me = await scene.visit('owner')
    await me.post('/account/second-factor')
    const key = /secret=([A-Z2-7]+)/.exec((await me.get('/account/second-factor')).text)![1]!
    const codeAt = (minutes: number) => new TOTP({ secret: key }).generate({ timestamp: testTime() + minutes * 60_000 })
    await me.post('/account/second-factor/confirmation', { code: codeAt(0) })

    const who = await scene.visit()
    const answer = await who.get(await goThere(who, '/portal/brightside/invoices'))
    expect(answer.headers.location).to.equal('/portal/brightside/sign-in/second-factor')
    expect(await signedIn(who)).to.equal(false)
    await scene.pass(1)
    const second = await who.post('/sign-in/second-factor', { code: codeAt(1) })
    expect(second.headers.location).to.equal('/portal/brightside/invoices')
    expect(await signedIn(who)).to.equal(true)
  })

  it('leads to setting up the second factor that the workspace asks of a role', async () => {
    const scene = await withStrategies(house())
    const admin = await scene.visit('admin')
    const form = { 'was.mfa': 'nobody', 'mfa.roles': 'admin', 'mfa.from': '2020-01-01' }
    expect((await admin.postAt('/settings/client-portal/sign-in', form)).status).to.equal(303)
    const who = await scene.visit()
    const answer = await who.get(await goThere(who, '/portal/brightside/invoices'))
    expect(answer.headers.location).to.equal('/portal/brightside/account/second-factor')
    expect((await who.get('/invoices')).headers.location).to.equal('/portal/brightside/account/second-factor')
  })

  it('may decide at once, by what the CRM knows of the request, and name a contact', async () => {
    const byHeader = decided(req =>
      req.get('X-Contact') ? { client: req.get('X-Client'), contact: Number(req.get('X-Contact')) } : undefined,
    )
    const scene = await withStrategies(byHeader)
    const { id, client_id: client } = await scene.owner('contacts').where({ email }).first('id', 'client_id')
    const enter = async (contact: string, of = String(client)) => {
      const who = await scene.visit()
      const answer = await who
        .post('/sign-in/with/house', { next: 'https://else.where/' })
        .set({ 'X-Contact': contact, 'X-Client': of })
      return { who, answer }
    }
    const right = await enter(String(id))
    expect(right.answer.headers.location).to.equal('/portal/brightside/')
    expect(await right.who.get('/account')).to.show('Nadia El-Khoury')

    const none = await enter('999999')
    expect(none.answer).to.include({ status: 422 }).and.show('You have no account here yet.')
    const nobody = await (await scene.visit()).post('/sign-in/with/house')
    expect(nobody).to.include({ status: 422 }).and.show('You weren’t signed in there.')

    // A CRM may number contacts anew for each client: contact 1 of another client is somebody else.
    const elsewhere = await scene
      .owner('contacts')
      .where({ email: whoIs('neighbour').email })
      .first('client_id')
    const other = await enter(String(id), String(elsewhere.client_id))
    expect(other.answer).to.include({ status: 422 }).and.show('You have no account here yet.')
  })

  it('drops a `next` that is too long, and counts no attempt while the provider is down', async () => {
    const scene = await withStrategies(house())
    const who = await scene.visit()
    const { status } = await who.post('/sign-in/with/house', { next: `/portal/brightside/${'x'.repeat(3_000)}` })
    expect(status).to.equal(200)
    provider.down = true
    for (let n = 0; n < 12; n++) expect((await who.get(await goThere(who))).status).to.equal(422)
    provider.down = false
    expect((await who.get(await goThere(who))).headers.location).to.equal('/portal/brightside/')
  })

  it('that fails says so in a sentence, and the log says why', async () => {
    const scene = await withStrategies(house())
    const who = await scene.visit()
    const back = await goThere(who)
    provider.down = true
    expect(await who.get(back))
      .to.include({ status: 422 })
      .and.show('Signing in there does not work right now.')
    expect(scene.log.find(it => it.sentence === 'a sign-in strategy failed')?.facts.err.message).to.include(
      'answers 503',
    )

    const state = /state=\w+/.exec(await goThere(who))
    const denied = await who.get(`/sign-in/with/house/callback?error=access_denied&${state}`)
    expect(denied).to.include({ status: 422 }).and.show('You weren’t signed in there.')
    expect(denied.text).to.not.include('access_denied')
    expect(scene.log.find(it => it.facts.reason)?.facts.reason).to.equal('the provider says: access_denied')
  })

  it('that breaks Passport’s protocol fails, and signs nobody in', async () => {
    const odd: Record<string, SignInStrategy['strategy']> = {
      throws: new Custom(() => {
        throw new Error('thrown')
      }),
      passes: {
        authenticate: function (this: any) {
          this.pass()
        },
      },
      nobody: decided(() => ({ id: 7 })).strategy,
      stateless: {
        authenticate: function (this: any) {
          this.redirect('https://else.where/?state=short')
        },
      },
      script: {
        authenticate: function (this: any) {
          this.redirect(`javascript:1?state=${'x'.repeat(16)}`)
        },
      },
      hoards: {
        authenticate(this: any, req: any) {
          req.session.all = 'x'.repeat(4_000)
          this.redirect(`https://else.where/?state=${'x'.repeat(16)}`)
        },
      },
    }
    const strategies = Object.entries(odd).map(([name, strategy]) => ({ name, title: name, strategy }))
    const scene = await open({ signIn: { strategies } })
    const who = await scene.visit()
    for (const [name, status] of Object.entries({
      throws: 422,
      passes: 422,
      nobody: 500,
      stateless: 500,
      script: 500,
      hoards: 500,
    })) {
      const answer = await who.post(`/sign-in/with/${name}`)
      expect(answer.status, name).to.equal(status)
      expect(answer.headers, name).to.not.have.any.keys('location', 'refresh', 'set-cookie')
    }
    expect(await signedIn(who)).to.equal(false)
  })

  it('is slowed down after repeated failures, and not after successes', async () => {
    const byHeader = decided(req => (req.get('X-Right') ? { email, emailVerified: true } : undefined))
    const scene = await withStrategies(byHeader, house({ name: 'there' }))
    const who = await scene.visit()
    for (let at = 0; at < 32; at++) expect((await who.post('/sign-in/with/there')).status).to.equal(200)
    for (let at = 0; at < 32; at++)
      expect((await who.post('/sign-in/with/house').set('X-Right', 'yes')).status).to.equal(303)
    for (let at = 0; at < 30; at++) expect((await who.post('/sign-in/with/house')).status).to.equal(422)
    expect((await who.post('/sign-in/with/house').set('X-Right', 'yes')).status).to.equal(429)
  })

  it('is offered in its workspaces only, and where it is switched on', async () => {
    const scene = await withStrategies(house({ workspaces: ['brightside'] }))
    const stranger = await scene.visit('stranger')
    const away = await stranger.get('/sign-in').set('Cookie', '')
    expect(away.text).to.not.include('House account')
    expect((await stranger.post('/sign-in/with/house')).status).to.equal(404)
    const who = await scene.visit()
    expect((await who.post('/sign-in/with/nothing')).status).to.equal(404)
    expect((await who.get('/sign-in/with/nothing/callback')).status).to.equal(404)

    const back = await goThere(who)
    const admin = await scene.visit('admin')
    const page = '/settings/client-portal/sign-in'
    expect(await admin.at(page)).to.show('House account', 'name="was.sign-in.with.house" value="on"')
    expect((await admin.postAt(page, { 'was.sign-in.with.house': 'on' })).headers.location).to.match(/saved$/)
    expect(await admin.at(page)).to.show('name="was.sign-in.with.house" value="off"')
    expect(await admin.at('/settings/client-portal/activity')).to.show('switched House account off')
    expect((await who.get('/sign-in')).text).to.not.include('House account')
    expect((await who.post('/sign-in/with/house')).status).to.equal(404)
    expect((await who.get(back)).status).to.equal(404)
  })

  it('is not found where none is configured', async () => {
    const scene = await open({ mail: 'kept' })
    const who = await scene.visit()
    expect((await who.get('/sign-in')).text).to.not.include('/sign-in/with/')
    for (const path of ['/sign-in/with/house', '/sign-in/with/house/callback'])
      expect((await who.post(path)).headers.location).to.match(/\/sign-in(\?|$)/)
  })

  it('is not found while the flag is off or the audit is not accepted', async () => {
    let on = true
    const scene: Scene = await open({
      ...{ mail: 'kept', checkEvery: 0.1, signIn: { strategies: [house()] } },
      flags: { enabledAnywhere: () => on, enabled: () => on },
    })
    const who = await scene.visit()
    const back = await goThere(who)
    const gone = async () => {
      for (const answer of [await who.post('/sign-in/with/house'), await who.get(back)])
        expect(answer).to.include({ status: 404 }).and.show('Tandem')
    }
    on = false
    await gone()
    on = true
    expect((await who.post('/sign-in/with/house')).status).to.equal(200)
    await scene.owner('portal.activation').delete()
    await until(async () => ((await who.post('/sign-in/with/house')).status === 404 ? true : undefined), 10)
    await gone()
  })

  it('leaves the CRM’s own passport, session and user as they are, and sees them', async () => {
    const seen: object[] = []
    const strategy = new Custom(req => {
      seen.push({
        staff: (req.user as any)?.name,
        session: { ...req.session },
        cookie: /crm\.sid/.test(req.headers.cookie ?? ''),
      })
      Object.assign(req.session, { state: 'mine' })
      Object.assign(req, { user: { name: 'somebody else' }, account: 'x' })
      return { email, emailVerified: true }
    })
    const { app, visit } = await withStrategies(
      house({ strategy }),
      house({ name: 'there', strategy: new Redirecting(provider) }),
    )
    const left: object[] = []
    const inSession = ({ session: { cookie, ...rest } }: any) => JSON.stringify(rest)
    const stack = (app as any).router.stack
    const [, clients] = stack.flatMap((it: any, at: number) => (it.name === 'router' ? [at] : []))
    app.use((req: any, res, next) => {
      const kept = () => {
        const { session, sessionID, sessionStore, user, body, login, logIn, _sessionManager, account } = req
        return { session, sessionID, sessionStore, user, body, login, logIn, _sessionManager, account }
      }
      const before: any = kept()
      const stored = inSession(req)
      res.on('finish', () => {
        const after: any = kept()
        const changed = Object.keys(before).filter(it => before[it] !== after[it])
        left.push({ changed, stored: inSession(req) === stored, staff: req.user?.name })
      })
      next()
    })
    stack.splice(clients, 0, stack.pop())
    const both = await visit('admin')
    left.length = 0
    expect((await both.post('/sign-in/with/house')).status).to.equal(303)
    expect((await both.post('/sign-in/with/there')).status).to.equal(200)

    expect(seen).to.deep.equal([{ staff: 'Marta Lindqvist', session: {}, cookie: true }])
    const same = { changed: [], stored: true, staff: 'Marta Lindqvist' }
    expect(left).to.deep.equal([same, same])
    expect(await both.get('/account')).to.show('Nadia El-Khoury')
    expect((await both.at('/clients')).status).to.equal(200)
  })

  it('that is not one is refused at the start, by a sentence that names it', async () => {
    const start = (...strategies: unknown[]) =>
      withStrategies(...(strategies as SignInStrategy[])).then(
        () => 'started',
        error => error.message,
      )
    expect(await start(house({ name: 'Not A Name' }))).to.equal(
      'createPortal: option signIn.strategies[0].name must be of lower-case letters, digits and hyphens.',
    )
    expect(await start(house({ title: '{x}' }))).to.include('option signIn.strategies[0].title must have at most 60')
    expect(await start({ ...house(), strategy: {} })).to.include('strategies[0].strategy must be a passport strategy')
    expect(await start(house(), house())).to.include('option signIn.strategies must have names of their own')
  })
})
