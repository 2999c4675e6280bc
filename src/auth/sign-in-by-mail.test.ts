import { expect } from 'chai'
import { testTime } from '../../test/database.ts'
import { jobsDone } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const owner = whoIs('owner')
const fresh = 'lantern gravel otter teapot'

/** Returns the path of a mail's link, below the workspace. */
const linkIn = (text: string) => /https:\/\/crm\.example\/portal\/brightside(\/\S+)/.exec(text)?.[1] ?? ''
const codeIn = (text: string) => /^(\d{6})$/m.exec(text)?.[1] ?? ''
const signedIn = async (it: Visitor) => (await it.get('/account')).status === 200

async function mailOf(scene: Scene, who: Visitor, path: string, email = owner.email) {
  scene.mails.length = 0
  const answer = await who.post(path, { email })
  expect(answer.status).to.equal(303)
  return { answer, mail: await scene.mailTo(email) }
}

describe('a forgotten password', () => {
  afterEach(leave)

  it('is replaced by a mailed link that works once, and every other session ends', async () => {
    const scene = await open({ mail: 'kept' })
    const [elsewhere, nobody] = [await scene.visit('owner'), await scene.visit()]
    expect(await nobody.get('/sign-in')).to.show('Forgot your password?')
    const { answer, mail } = await mailOf(scene, nobody, '/forgot-password')
    expect(answer.headers.location).to.equal('/portal/brightside/forgot-password?sent')
    expect(mail).to.include({ subject: 'Choose a new password', from: 'Brightside Agency' })
    expect(mail.text).to.include('Hello Nadia,')
    expect(mail.html)
      .to.include(linkIn(mail.text))
      .and.to.not.match(/<img|<script|<link|url\(/)
    const path = linkIn(mail.text)

    expect(await nobody.get(path)).to.show('Choose a new password', owner.email)
    expect(await nobody.post(path, { password: 'short' }))
      .to.include({ status: 422 })
      .and.show('Use at least 8 characters.')
    expect((await nobody.post(path, { password: fresh })).headers.location).to.equal(
      '/portal/brightside/sign-in?changed',
    )
    expect(await nobody.get('/sign-in?changed')).to.show('Your new password is saved.')
    expect(await signedIn(elsewhere)).to.equal(false)
    for (const again of [await nobody.get(path), await nobody.post(path, { password: `${fresh} two` })])
      expect(again).to.include({ status: 410 }).and.show('This link has expired')
    expect((await nobody.post('/sign-in', { email: owner.email, password: owner.password })).status).to.equal(422)
    expect((await nobody.post('/sign-in', { email: owner.email, password: fresh })).status).to.equal(303)
    expect((await scene.mailTo(owner.email)).subject).to.equal('Your password was changed')
  })

  it('has one valid link: earlier ones are not, nor any after half an hour', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const first = linkIn((await mailOf(scene, nobody, '/forgot-password')).mail.text)
    const second = linkIn((await mailOf(scene, nobody, '/forgot-password')).mail.text)

    expect([(await nobody.get(first)).status, (await nobody.get(second)).status]).to.deep.equal([410, 200])
    await scene.owner('portal.client_tokens').update({ expires_at: new Date(testTime()) })
    expect((await nobody.get(second)).status).to.equal(410)
    expect(await nobody.get(`/reset-password/${'x'.repeat(43)}`))
      .to.include({ status: 410 })
      .and.show('href="/portal/brightside/forgot-password"', 'Send me a new link')
  })

  it('is replaced once by two concurrent uses of the link', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const path = linkIn((await mailOf(scene, nobody, '/forgot-password')).mail.text)
    const answers = await Promise.all([fresh, `${fresh} two`].map(password => nobody.post(path, { password })))

    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 410])
  })

  it('reveals no accounts, and sends no mail to strangers', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('viewer').email })
      .update({ suspended_at: new Date(testTime()) })
    const answers = []
    for (const path of ['/forgot-password', '/sign-in/code'])
      for (const email of [owner.email, 'unknown@else.where', whoIs('viewer').email]) {
        const { status, headers, text } = await nobody.post(path, { email })
        answers.push([
          path,
          status,
          text.replace(/[\w-]{36}/, 'ID'),
          headers.location!.replace(/[\w-]{36}/, 'ID'),
          Object.keys(headers).sort().join(),
        ])
      }
    await scene.mailTo(owner.email)

    expect(answers[1]).to.deep.equal(answers[0])
    expect(answers[2]).to.deep.equal(answers[0])
    expect(answers[4]).to.deep.equal(answers[3])
    expect(answers[5]).to.deep.equal(answers[3])
    const rows = await scene.owner('portal.client_outbox').select('recipient')
    expect(rows).to.have.length(6)
    expect([...new Set(rows.map(it => it.recipient))].sort()).to.deep.equal(['', owner.email])
    await jobsDone(scene.owner, 'mail')
    expect(scene.mails.map(it => it.to)).to.deep.equal([owner.email, owner.email])
  })

  it('links to the address that was configured, whatever host the request names', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    await nobody
      .post('/forgot-password', { email: owner.email })
      .set('Host', 'evil.example')
      .set('X-Forwarded-Host', 'evil.example')
    const { text, html } = await scene.mailTo(owner.email)
    expect(text + html)
      .to.include('https://crm.example/portal/brightside/')
      .and.not.include('evil')
  })

  it('is not offered where no mail is sent', async () => {
    const { visit } = await open()
    const nobody = await visit()
    expect(await nobody.get('/sign-in')).to.not.show('Forgot', 'code')
    for (const path of ['/forgot-password', '/sign-in/code']) {
      const { status, headers } = await nobody.post(path, { email: owner.email })
      expect([status, headers.location]).to.deep.equal([303, '/portal/brightside/sign-in'])
    }
  })
})

describe('a code by mail', () => {
  afterEach(leave)

  it('signs in, however it is typed, once', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const { answer, mail } = await mailOf(scene, nobody, '/sign-in/code')
    const page = answer.headers.location!.replace('/portal/brightside', '')
    const code = codeIn(mail.text)
    expect(mail.subject).to.equal(`${code} is your code for Brightside Agency`)
    expect(await nobody.get(page)).to.show('autocomplete="one-time-code"', 'inputmode="numeric"')
    const { headers, status } = await nobody.post(page, {
      code: ` ${code.slice(0, 3)} ${code.slice(3)} `,
      next: '/portal/brightside/invoices',
    })

    expect([status, headers.location]).to.deep.equal([303, '/portal/brightside/invoices'])
    expect(await signedIn(nobody)).to.equal(true)
    expect((await (await scene.visit()).post(page, { code })).status).to.equal(422)
    expect(await nobody.get('/activity')).to.show('signed in')
  })

  it('is refused after five wrong tries, also the right one', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const { answer, mail } = await mailOf(scene, nobody, '/sign-in/code')
    const page = answer.headers.location!.replace('/portal/brightside', '')
    const code = codeIn(mail.text)
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
    expect(await nobody.post(page, { code: 'abc' }))
      .to.include({ status: 422 })
      .and.show('Enter the six digits from the e-mail.')
    for (let at = 0; at < 5; at++)
      expect(await nobody.post(page, { code: wrong }))
        .to.include({ status: 422 })
        .and.show('This code is wrong or')

    expect((await nobody.post(page, { code })).status).to.equal(422)
    expect(await signedIn(nobody)).to.equal(false)
  })

  it('allows five attempts in all when many are concurrent', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const { answer, mail } = await mailOf(scene, nobody, '/sign-in/code')
    const page = answer.headers.location!.replace('/portal/brightside', '')
    const code = Number(codeIn(mail.text))
    await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(it => nobody.post(page, { code: String((code + it) % 1_000_000).padStart(6, '0') })),
    )

    expect((await scene.owner('portal.client_tokens').first('attempts')).attempts).to.equal(5)
  })

  it('of another workspace, or for somebody suspended meanwhile, opens nothing', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const { answer, mail } = await mailOf(scene, nobody, '/sign-in/code')
    const page = answer.headers.location!.replace('/portal/brightside', '')
    const code = codeIn(mail.text)
    const elsewhere = `/portal/ledgerline${page}`

    expect((await nobody.postAt(elsewhere, { code })).status).to.equal(422)
    expect((await nobody.postAt(`/portal/ledgerline${linkIn(mail.text)}`)).status).to.equal(410)
    await scene
      .owner('portal.client_users')
      .where({ email: owner.email })
      .update({ suspended_at: new Date(testTime()) })
    expect((await nobody.post(page, { code })).status).to.equal(422)
    expect((await nobody.post('/sign-in/code/nonsense', { code })).status).to.equal(422)
  })

  it('comes with a link that signs in once and is not used up by a mail scanner', async () => {
    const scene = await open({ mail: 'kept' })
    const [nobody, scanner] = [await scene.visit(), await scene.visit()]
    const { mail } = await mailOf(scene, nobody, '/sign-in/code')
    const path = linkIn(mail.text)
    for (let at = 0; at < 3; at++) expect(await scanner.get(path)).to.show('Welcome back', owner.email)
    expect((await scanner.agent.head(`/portal/brightside${path}`)).status).to.equal(200)

    expect((await nobody.post(path)).headers.location).to.equal('/portal/brightside/')
    expect(await signedIn(nobody)).to.equal(true)
    expect((await scanner.post(path)).status).to.equal(410)
  })

  it('is stored so that the database reveals neither code nor link', async () => {
    const scene = await open({ mail: 'kept' })
    const { mail } = await mailOf(scene, await scene.visit(), '/sign-in/code')
    const secrets = [codeIn(mail.text), linkIn(mail.text).split('/').at(-1)!]
    const tables = ['portal.client_tokens', 'portal.client_outbox', 'portal_jobs.job', 'portal.client_activity_logs']
    for (const table of tables) {
      const rows = JSON.stringify(await scene.owner(table))
      for (const it of secrets) expect(rows, table).to.not.include(it)
    }
  })
})

describe('a changed password', () => {
  afterEach(leave)

  it('needs the old one, ends the other sessions and keeps this one', async () => {
    const scene = await open({ mail: 'kept' })
    const [here, there] = [await scene.visit('owner'), await scene.visit('owner')]
    const change = (current: string, password: string) => here.post('/account/password', { current, password })

    expect(await change('wrong', fresh))
      .to.include({ status: 422 })
      .and.show('This is not your password.')
    expect(await change(owner.password, 'Brightside2026'))
      .to.include({ status: 422 })
      .and.show('your name')
    expect((await change(owner.password, fresh)).headers.location).to.equal('/portal/brightside/account?saved=password')
    expect([await signedIn(here), await signedIn(there)]).to.deep.equal([true, false])
    const mail = await scene.mailTo(owner.email)
    expect(mail.subject).to.equal('Your password was changed')
    expect((await (await scene.visit()).post('/sign-in', { email: owner.email, password: fresh })).status).to.equal(303)
  })
})

describe('the sign-in methods', () => {
  afterEach(leave)

  it('are those that the workspace offers, and one is always left', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const settings = '/settings/client-portal/sign-in'
    const both = { 'was.sign-in.password': 'on', 'was.sign-in.code': 'on' }
    expect(await admin.at(settings)).to.show('Password', 'Code by e-mail', 'checked')

    expect((await admin.postAt(settings, { ...both, 'sign-in.code': 'on' })).headers.location).to.equal(
      `${settings}?saved`,
    )
    expect(await nobody.get('/sign-in'))
      .to.show('Send me a code')
      .and.not.show('type="password"', 'Forgot your password?')
    expect((await nobody.post('/sign-in', { email: owner.email, password: owner.password })).status).to.equal(404)
    for (const path of ['/forgot-password', '/reset-password/x'])
      expect((await nobody.get(path)).headers.location).to.equal('/portal/brightside/sign-in')
    expect((await mailOf(scene, nobody, '/sign-in/code')).mail.subject).to.include('is your code')

    await admin.postAt(settings, { ...both, 'sign-in.password': 'on' })
    expect(await nobody.get('/sign-in'))
      .to.show('type="password"')
      .and.not.show('code')
    for (const path of ['/sign-in/code', '/sign-in/code/x', '/sign-in/link/x'])
      expect((await nobody.get(path)).headers.location, path).to.equal('/portal/brightside/sign-in')
    expect(await admin.postAt(settings, both))
      .to.include({ status: 422 })
      .and.show('Keep at least one sign-in method on.')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'switched Code by e-mail off',
      'switched Password on',
    )
    expect(await scene.visit('stranger')).to.include({ person: whoIs('stranger') })
  })
})

describe('an e-mail address', () => {
  afterEach(leave)

  const fresh = 'nadia@new.example'
  const ask = async (scene: Scene, email = fresh) => {
    const me = await scene.visit('owner')
    const answer = await me.post('/account/address', { email, current: owner.password })
    expect(answer.headers.location).to.equal('/portal/brightside/account?saved=address')
    return me
  }
  const signsIn = async (scene: Scene, email: string, password = owner.password) =>
    (await (await scene.visit()).post('/sign-in', { email, password })).status === 303

  it('changes only when the new one is confirmed, with a mail to the old one', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await ask(scene)
    const path = linkIn((await scene.mailTo(fresh)).text)
    expect([await signsIn(scene, owner.email), await signsIn(scene, fresh)]).to.deep.equal([true, false])

    for (let at = 0; at < 2; at++) expect(await me.get(path)).to.show('From now on you sign in with nadia@new.example.')
    expect((await me.post(path)).status).to.equal(303)
    expect([await signsIn(scene, owner.email), await signsIn(scene, fresh)]).to.deep.equal([false, true])
    expect((await me.post(path)).status).to.equal(410)
    expect((await scene.mailTo(owner.email)).subject).to.equal('Your e-mail address was changed')
    expect(await me.get('/activity')).to.show('changed their e-mail address')
  })

  it('is taken back by the old one, which ends every session and the password, also after a second change', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await ask(scene)
    await me.post(linkIn((await scene.mailTo(fresh)).text))
    const undo = linkIn((await scene.mailTo(owner.email)).text)
    await me.post('/account/address', { email: 'third@new.example', current: owner.password })
    await me.post(linkIn((await scene.mailTo('third@new.example')).text))
    const nobody = await scene.visit()
    expect(await nobody.get(undo)).to.show('uses nadia@acmebakery.example again')
    expect((await nobody.post(undo)).headers.location).to.equal('/portal/brightside/forgot-password')

    expect(await signedIn(me)).to.equal(false)
    for (const email of [owner.email, fresh, 'third@new.example'])
      expect(await signsIn(scene, email), email).to.equal(false)
    const { mail } = await mailOf(scene, nobody, '/forgot-password')
    expect(mail.subject).to.equal('Choose a new password')
  })

  it('is taken back with the second factor of whoever changed it, before or after that', async () => {
    for (const early of [true, false]) {
      const scene = await open({ mail: 'kept' })
      const me = await scene.visit('owner')
      await scene.visit('owner')
      const add = async () => {
        await me.post('/account/second-factor')
        await scene.owner('portal.client_factors').update({ confirmed_at: new Date(testTime()) })
      }
      if (early) await add()
      await me.post('/account/address', { email: fresh, current: owner.password })
      await me.post(linkIn((await scene.mailTo(fresh)).text))
      if (!early) await add()
      const undo = linkIn((await scene.mailTo(owner.email, 'Your e-mail address was changed')).text)
      expect((await (await scene.visit()).post(undo)).status).to.equal(303)
      expect(await scene.owner('portal.client_factors'), `early ${early}`).to.be.empty
    }
  })

  it('that somebody else has is answered alike, and nothing is mailed', async () => {
    const scene = await open({ mail: 'kept' })
    const taken = whoIs('billing').email
    const me = await ask(scene, taken)
    await ask(scene, fresh)
    await scene.mailTo(fresh)
    expect(scene.mails.map(it => it.to)).to.not.include(taken)
    const path = linkIn((await scene.mailTo(fresh)).text)
    await scene.owner('portal.client_users').where({ email: taken }).update({ email: fresh })
    expect((await me.post(path)).status).to.equal(410)
  })

  it('of somebody without a password needs a recent verification instead', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    await scene.owner('portal.client_users').where({ email: owner.email }).update({ password_hash: null })
    expect((await me.post('/account/address', { email: fresh })).status).to.equal(303)
    await scene.owner('portal.client_sessions').update({
      sess: scene.owner.raw(`jsonb_set(sess, '{verifications,0,at}', '1')`),
    })
    expect(await me.post('/account/address', { email: fresh }))
      .to.include({ status: 403 })
      .and.show('Confirm that it’s you', 'Change the e-mail address')
  })

  it('needs the second factor as well where the workspace requires one', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    const setting = { workspace_id: '1', name: 'step-up.account.address', value: '"second"', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert(setting)
    const answer = await me.post('/account/address', { email: fresh, current: owner.password })
    expect(answer).to.include({ status: 403 }).and.show('Confirm that it’s you', fresh)
    expect(await scene.owner('portal.client_tokens').where({ kind: 'address' })).to.be.empty
  })

  it('needs the password, and to be one', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    expect(await me.post('/account/address', { email: fresh, current: 'wrong' }))
      .to.include({ status: 422 })
      .and.show('This is not your password.', fresh)
    expect(await me.post('/account/address', { email: 'nonsense', current: owner.password }))
      .to.include({ status: 422 })
      .and.show('Enter an e-mail address, like jo@example.com.')
  })
})

describe('a locked account', () => {
  afterEach(leave)

  const lock = async (who: Visitor, email: string) => {
    for (let at = 0; at < 11; at++) await who.post('/sign-in', { email, password: `wrong ${at}` })
    return who.post('/sign-in', { email, password: 'wrong' })
  }

  it('is unlocked by a mailed link that works once, and keeps its sessions', async () => {
    const scene = await open({ mail: 'kept' })
    const [inside, nobody] = [await scene.visit('owner'), await scene.visit()]
    const answer = await lock(nobody, owner.email)
    expect(answer).to.include({ status: 429 }).and.show('a link that unlocks your sign-in')
    expect((await nobody.post('/sign-in', { email: owner.email, password: owner.password })).status).to.equal(429)
    const mail = await scene.mailTo(owner.email)
    expect(mail.subject).to.equal('Your sign-in is locked')
    const path = linkIn(mail.text)

    for (let at = 0; at < 2; at++) expect(await nobody.get(path)).to.show('Unlock my sign-in', owner.email)
    expect((await nobody.post(path)).headers.location).to.equal('/portal/brightside/sign-in?unlocked')
    expect(await nobody.get('/sign-in?unlocked')).to.show('You can sign in again.')
    expect((await nobody.post('/sign-in', { email: owner.email, password: owner.password })).status).to.equal(303)
    expect((await nobody.post(path)).status).to.equal(410)
    expect(await signedIn(inside)).to.equal(true)
  })

  it('looks the same for an unknown address, and causes one mail an hour', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const answers = []
    for (const email of [owner.email, 'unknown@else.where']) {
      const { status, text, headers } = await lock(nobody, email)
      answers.push([status, text.replaceAll(email, '').replaceAll(/nonce="[^"]+"/g, ''), Object.keys(headers).sort()])
      await scene.owner('portal_jobs.limits').where('key', 'like', 'address%').del()
    }
    expect(answers[1]).to.deep.equal(answers[0])
    expect(await scene.owner('portal.client_outbox').where({ kind: 'unlock' }).select('recipient')).to.have.length(2)
    await scene.mailTo(owner.email)
    expect(scene.mails.map(it => it.to)).to.deep.equal([owner.email])
    const path = linkIn(scene.mails[0]!.text)
    expect((await nobody.postAt(`/portal/ledgerline${path}`)).status).to.equal(410)
  })
})

describe('the last sign-in method', () => {
  afterEach(leave)

  it('is remembered on this device, by a cookie that says nothing else', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    expect(await nobody.get('/sign-in')).to.show('type="password"', 'Send me a code instead')
    const { answer, mail } = await mailOf(scene, nobody, '/sign-in/code')
    const page = answer.headers.location!.replace('/portal/brightside', '')
    const { headers } = await nobody.post(page, { code: codeIn(mail.text) })
    const set = ([] as string[]).concat(headers['set-cookie'] ?? []).find(it => it.startsWith('portico.way='))
    expect(set).to.match(
      /^portico\.way=code; Max-Age=31536000; Path=\/portal\/brightside; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    )
    await nobody.post('/sign-out')

    expect(await nobody.get('/sign-in'))
      .to.show('Sign in with a password instead')
      .and.not.show('type="password"')
    expect(await nobody.get('/sign-in?way=password&next=%2Fportal%2Fbrightside%2Fteam')).to.show(
      'type="password"',
      'value="/portal/brightside/team"',
    )
    expect((await nobody.post('/sign-in', { email: owner.email, password: owner.password })).status).to.equal(303)
    await nobody.post('/sign-out')
    expect(await nobody.get('/sign-in')).to.show('type="password"')
    expect(await nobody.get('/sign-in').set('Cookie', 'portico.way=nonsense')).to.show('type="password"')
  })
})
