import { expect } from 'chai'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { sections } from '../plugin/discover.ts'
import { may, stepUp } from '../plugin/permissions.ts'
import { section } from '../plugin/plugin.ts'

const owner = whoIs('owner')
const invitation = { name: 'Jo "the <b>baker"', email: 'jo@acmebakery.example', role: 'viewer' }
const codeIn = (text: string) => /^(\d{6})$/m.exec(text)?.[1] ?? ''

/** Moves the start of all sessions back by so many minutes. */
const pass = ({ owner }: Scene, minutes: number) =>
  owner('portal.client_sessions').update({
    sess: owner.raw(
      `jsonb_set(sess, '{verifications}', (
      select jsonb_agg(it || jsonb_build_object('at', (it ->> 'at')::bigint - ?::bigint)) from jsonb_array_elements(sess -> 'verifications') it))`,
      [minutes * 60_000],
    ),
  })

/** The fields that the step-up page would post again. */
const fieldsOf = (text: string) =>
  [...text.matchAll(/<input type="hidden" name="([^"]+)"(?: autocomplete="\w+")? value="([^"]*)">/g)].map(
    it =>
      [
        it[1]!,
        it[2]!.replaceAll('&#34;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      ] as const,
  )
const again = (who: Visitor, path: string, text: string, more: object) =>
  who.post(
    path,
    new URLSearchParams([...fieldsOf(text), ...Object.entries(more)] as [string, string][]).toString() as never,
  )

/** A section with two routes that require a step-up. */
const safe = section({
  ...sections.find(it => it.name === 'invoices')!,
  name: 'invoices',
  stepUps: { 'invoices.open': { label: 'Open the safe', level: 'verification' } },
  routes(router) {
    router.get('/safe', may('invoices.see'), stepUp('invoices.open'), (_req, res) => void res.send('opened'))
    router.post('/safe', may('invoices.see'), stepUp('invoices.open'), (req, res) => void res.send(req.portal.body))
  },
})

describe('a step-up', () => {
  afterEach(leave)

  it('is required ten minutes after the last verification, keeps the input, and sends it with the password', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    await pass(scene, 9)
    expect((await me.post('/team/invitations', { ...invitation, email: 'first@acmebakery.example' })).status).to.equal(
      303,
    )
    await pass(scene, 2)
    const asked = await me.post('/team/invitations', invitation)
    expect(asked).to.include({ status: 403 }).and.show('Confirm that it’s you', 'Invite somebody', 'Your password')
    expect(asked.text).to.not.include('<b>baker')
    expect(await scene.owner('portal.client_invitations')).to.have.length(1)

    const wrong = await again(me, '/team/invitations', asked.text, { 'step-up.password': 'wrong' })
    expect(wrong).to.include({ status: 422 }).and.show('This is not your password.')
    const before = await scene.owner('portal.client_sessions').pluck('sid')
    const right = await again(me, '/team/invitations', wrong.text, { 'step-up.password': owner.password })
    expect([right.status, right.headers.location]).to.deep.equal([303, '/portal/brightside/team?done=invited'])
    const row = await scene.owner('portal.client_invitations').where({ email: invitation.email }).first('name', 'role')
    expect(row).to.deep.equal({ name: invitation.name, role: 'viewer' })
    expect(await scene.owner('portal.client_sessions').pluck('sid')).to.not.deep.equal(before)
    expect((await me.post('/team/invitations', { ...invitation, email: 'third@acmebakery.example' })).status).to.equal(
      303,
    )
    expect(await me.get('/activity')).to.show('confirmed who they are, by password')
  })

  it('accepts a mailed code, of that person, for this purpose only and once', async () => {
    const scene = await open({ mail: 'kept' })
    const [me, other] = [await scene.visit('owner'), await scene.visit('neighbour')]
    await pass(scene, 11)
    const asked = await me.post('/team/invitations', invitation)
    scene.mails.length = 0
    const sent = await again(me, '/team/invitations', asked.text, { 'step-up.show': 'code' })
    expect(sent).to.include({ status: 403 }).and.show('We’ve sent six digits to', 'autocomplete="one-time-code"')
    const code = codeIn((await scene.mailTo(owner.email)).text)
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')

    expect(await again(me, '/team/invitations', sent.text, { 'step-up.code': wrong }))
      .to.include({ status: 422 })
      .and.show('This code is wrong')
    const theirs = await again(other, '/team/invitations', sent.text, { 'step-up.code': code })
    expect(theirs.status).to.equal(422)
    expect((await again(me, '/team/invitations', sent.text, { 'step-up.code': code })).status).to.equal(422)
    const anew = await again(me, '/team/invitations', asked.text, { 'step-up.show': 'code' })
    await until(() => scene.mails.length >= 2)
    const fresh = codeIn(scene.mails.at(-1)!.text)
    const answers = await Promise.all(
      [1, 2].map(() => again(me, '/team/invitations', anew.text, { 'step-up.code': fresh })),
    )
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 422])
    expect(await scene.owner('portal.client_invitations')).to.have.length(1)
    expect(
      (
        await (
          await scene.visit()
        ).post(`/sign-in/code/${fieldsOf(anew.text).find(it => it[0] === 'step-up.id')?.[1]}`, { code: fresh })
      ).status,
    ).to.equal(422)
  })

  it('works by page, fragment and JSON, passes a route only its own fields, and continues to a page shown by GET', async () => {
    const scene = await open({ mail: 'kept', sections: [safe] })
    const me = await scene.visit('owner')
    await pass(scene, 11)
    expect((await me.api('/invoices/safe')).body).to.include({ status: 403, code: 'verification-required' })
    expect(await me.fragment('/invoices/safe'))
      .to.include({ status: 403 })
      .and.show('Open the safe')
      .and.not.show('<html')
    const seen = await me.get('/invoices/safe?a=1&b=2')
    expect(seen).to.include({ status: 403 }).and.show('action="/portal/brightside/step-up"')
    const there = await again(me, '/step-up', seen.text, { 'step-up.password': owner.password })
    expect(there.headers.location).to.equal('/portal/brightside/invoices/safe?a=1&b=2')
    expect((await me.get('/invoices/safe')).text).to.equal('opened')

    await pass(scene, 11)
    const posted = await me.post('/invoices/safe', 'a=1&a=2&b=%3C%22' as never)
    const through = await again(me, '/invoices/safe', posted.text, { 'step-up.password': owner.password })
    expect(through.body).to.deep.equal({ a: ['1', '2'], b: '<"' })
    await pass(scene, 11)
    const home = await me.post('/step-up', {
      next: 'https://else.where/',
      'step-up.by': 'password',
      'step-up.password': owner.password,
      'step-up.action': 'invoices.open',
    })
    expect(home.headers.location).to.equal('/portal/brightside/')
  })

  it('is slowed down like sign-in', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    await pass(scene, 11)
    const { text } = await me.post('/team/invitations', invitation)
    for (let at = 0; at < 5; at++) await again(me, '/team/invitations', text, { 'step-up.password': `wrong ${at}` })
    const late = await again(me, '/team/invitations', text, { 'step-up.password': owner.password })
    expect(late).to.include({ status: 429 }).and.show('Too many attempts.', 'value="jo@acmebakery.example"')
    expect(late.headers).to.have.property('retry-after')
  })

  it('is required where the workspace wants it, from the next click on', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    await pass(scene, 11)
    const settings = '/settings/client-portal/sign-in'
    expect(await admin.at(settings)).to.show('Asked again', 'Invite somebody, change roles and limits, or end access')
    const set = (before: string, after: string) =>
      admin.postAt(settings, { 'was.step-up.team.change': before, 'step-up.team.change': after })
    expect((await set('verification', 'none')).headers.location).to.equal(`${settings}?saved`)
    expect((await me.post('/team/invitations', invitation)).status).to.equal(303)
    expect((await set('verification', 'none')).status).to.equal(409)
    expect((await set('none', 'verification')).status).to.equal(303)
    expect((await me.post('/team/invitations', invitation)).status).to.equal(403)
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'asks for nothing more before: Invite somebody',
      'asks for a recent verification before: Invite somebody',
    )
  })
})
