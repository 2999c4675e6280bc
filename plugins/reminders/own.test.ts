import { expect } from 'chai'
import type { Request } from 'express'
import { coreHostOf } from '../../src/auth/host.ts'
import { migrate } from '../../src/index.ts'
import { anyMember } from '../../src/plugin/permissions.ts'
import { type Host, section } from '../../src/plugin/plugin.ts'
import { mailed, round, set, switched } from '../../test/reminders.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { saveSwitch, showSwitch } from './account.ts'

const [offers, payments, work] = ['reminders.expiry', 'reminders.due', 'reminders.work']
const page = '/notifications/settings'
const ofOffers = 'E-mail me before a proposal or quotation I can accept expires.'
const ofBoth =
  'E-mail me before a proposal or quotation I can accept expires, and about payments that are due or overdue.'

/** The account of a portal that has no plugin `notifications`, at an address of its own. */
const withoutNotifications = (host: Host): Host => ({
  ...coreHostOf(host),
  capability: name => (name === 'notifications' ? undefined : host.capability(name)),
})
const account = section({
  ...{ name: 'stand-in', title: 'Stand-in', icon: 'bell', order: 999 },
  slots: {
    account: {
      view: 'reminders/own',
      data: (req: Request<any>, host: Host) => showSwitch(req, withoutNotifications(host)),
    },
  },
  account: {
    routes: (router, host) => void router.post('/', anyMember, saveSwitch(withoutNotifications(host))),
  },
})

describe('reminders, as each person chooses them', () => {
  afterEach(leave)

  it('have lines of their own with the other notifications, and nothing in the account', async () => {
    const scene = await open({ mail: 'kept' })
    await set(scene, 'reminders.payments', '-3')
    const approver = await scene.visit('approver')
    expect(await approver.get('/account')).to.not.show('id="reminders"')
    expect((await approver.post('/account/reminders', { 'was.reminders': 'on' })).status).to.equal(404)
    expect(await approver.get(page)).to.show('>Reminders</th>', 'Offers that end soon', 'Payments that are due')
    expect(boxes(await approver.get(page))).to.include.members([
      ...[`${offers}:here on`, `${offers}:mail on`, `${offers}:summary off`, `${offers}:push on`],
      ...[`${payments}:here on`, `${payments}:mail on`],
    ])

    await choose(approver, offers!, ['here'])
    await round(scene)
    expect(await offered(scene)).to.deep.equal([whoIs('owner').email])
    expect(await approver.get('/notifications')).to.show('The price of P-2026-031 holds until')
  })

  it('are unsubscribed from where they are chosen, with one click', async () => {
    const scene = await open({ mail: 'kept' })
    await round(scene)
    const { address } = await sent(scene, 'owner')
    const nobody = await scene.visit()
    expect((await nobody.postAt(address, { 'List-Unsubscribe': 'One-Click' })).status).to.equal(200)
    expect(boxes(await (await scene.visit('owner')).get(page))).to.include.members([
      ...[`${offers}:mail off`, `${offers}:here on`, `${offers}:push on`],
    ])
    for (const table of ['client_outbox', 'client_reminders']) await scene.owner(`portal.${table}`).del()
    await round(scene)
    expect(await offered(scene)).to.deep.equal([whoIs('approver').email])
  })

  it('lead to where they are stopped, where people cannot choose', async () => {
    const scene = await open({ mail: 'kept' })
    await switched(scene, 'notifications')
    await round(scene)
    const { address, text } = await sent(scene, 'owner')
    expect(text)
      .to.match(/Change or stop reminders: \S+\/unsubscribe\//)
      .and.not.include(page)
    const nobody = await scene.visit()
    expect(await nobody.at(address))
      .to.show('Unsubscribe from these e-mails?')
      .and.not.show('You still see it')
    const stopped = await nobody.postAt(address, {})
    expect(stopped).to.show('You won’t get these e-mails any more').and.not.show(page)
    for (const table of ['client_outbox', 'client_reminders']) await scene.owner(`portal.${table}`).del()
    await round(scene)
    expect(await offered(scene)).to.deep.equal([whoIs('approver').email])
  })

  it('are counted for who is reached by them alone', async () => {
    const scene = await open({ mail: 'kept' })
    const counted = async () =>
      (await scene.owner('portal.client_activity_logs').where({ event: 'proposals.reminded' }).select('subject')).map(
        it => it.subject.count,
      )
    await choose(await scene.visit('approver'), offers!, [])
    await round(scene)
    expect(await counted()).to.deep.equal([1])

    for (const table of ['client_outbox', 'client_reminders']) await scene.owner(`portal.${table}`).del()
    await choose(await scene.visit('owner'), offers!, [])
    await round(scene)
    expect(await counted()).to.deep.equal([1])
  })

  it('have lines for who can get them alone', async () => {
    const scene = await open({ mail: 'kept' })
    const lines = async (role: Role) =>
      boxes(await (await scene.visit(role)).get(page))
        .filter(it => /^reminders\.[\w-]+:mail/.test(it))
        .map(it => it.split(':')[0])
    expect(await lines('owner')).to.deep.equal([offers])
    expect(await lines('billing')).to.deep.equal([])
    await set(scene, 'reminders.payments', '-3')
    await set(scene, 'reminders.work', '-3')
    expect(await lines('owner')).to.deep.equal([offers, payments, work])
    expect(await lines('billing')).to.deep.equal([payments, work])
    expect(await lines('viewer')).to.deep.equal([])
    await switched(scene, 'invoices.reminders')
    expect(await lines('billing')).to.deep.equal([work])
    expect(await (await scene.visit('viewer')).get(page)).to.not.show('>Reminders</th>')
    await leave()

    const mute = await open()
    expect(await (await mute.visit('owner')).get(page)).to.not.show('>Reminders</th>')
  })

  it('stay off for who had switched them off in the account', async () => {
    const scene = await open({ mail: 'kept' })
    const idOf = async (role: Role) =>
      (
        await scene
          .owner('portal.client_users')
          .where({ email: whoIs(role).email })
          .first('id')
      ).id
    const [owner, approver, billing] = [await idOf('owner'), await idOf('approver'), await idOf('billing')]
    const choices = (person: string) =>
      scene.owner('portal.client_notification_choices').where({ person_id: person }).first('choices', 'quiet')
    const quiet = { from: 20, until: 7, weekend: false }
    const own = { [offers!]: { here: false }, 'documents.shared': { mail: false } }
    await scene
      .owner('portal.client_notification_choices')
      .insert({ workspace_id: '1', person_id: approver, choices: own, quiet: JSON.stringify(quiet) })
    await scene.owner('portal.client_users').whereIn('id', [owner, approver]).update({ reminders: false })
    await scene.owner('portal.migrations').where({ name: 'notifications/002_reminders' }).delete()
    expect(await migrate(scene.owner, { role: 'portico_app' })).to.deep.equal(['notifications/002_reminders'])

    const off = { mail: false }
    expect(await choices(owner)).to.deep.equal({
      choices: { [offers!]: off, [payments!]: off, [work!]: off },
      quiet: null,
    })
    expect(await choices(approver)).to.deep.equal({
      choices: { [offers!]: { here: false, ...off }, [payments!]: off, [work!]: off, 'documents.shared': off },
      quiet,
    })
    expect(await choices(billing)).to.equal(undefined)
    expect(boxes(await (await scene.visit('owner')).get(page))).to.include.members([`${offers}:mail off`])
    await round(scene)
    expect(await offered(scene)).to.be.empty
  })

  it('are switched off and on in the account, where there are no notifications', async () => {
    const scene = await open({ mail: 'kept', plugins: [account] })
    const without = ['notifications']
    const [approver, billing] = [await scene.visit('approver'), await scene.visit('billing')]
    expect(await approver.get('/account')).to.show('id="reminders"', 'name="reminders" value="on" checked', ofOffers)
    expect(await billing.get('/account')).to.not.show('id="reminders"')
    expect((await approver.post('/account/stand-in', { 'was.reminders': 'on' })).status).to.equal(303)
    expect((await approver.get('/account')).text).to.not.include('name="reminders" value="on" checked')
    await round(scene, { without })
    expect(await offered(scene)).to.deep.equal([whoIs('owner').email])
    const [{ text } = { text: '' }] = await mailed(scene, [offers!])
    expect(text).to.include('/portal/brightside/account#reminders').and.not.include('unsubscribe')

    await approver.post('/account/stand-in', {})
    await approver.post('/account/stand-in', { 'was.reminders': 'off', reminders: 'on' })
    await round(scene, { without })
    expect(await offered(scene)).to.include(whoIs('approver').email)
    await set(scene, 'reminders.payments', '-3')
    expect(await approver.get('/account')).to.show(ofBoth)
    expect(await billing.get('/account')).to.show('E-mail me about payments that are due or overdue.')
  })
})

/** Each box of the preferences, and whether it is checked. */
const boxes = ({ text }: { text: string }) =>
  [...text.matchAll(/name="on" value="([^"]+)"[^>]*?( checked)?>/g)].map(it => `${it[1]} ${it[2] ? 'on' : 'off'}`)

const choose = (who: Visitor, kind: string, channels: string[]) =>
  who.post(page, { shown: kind, on: channels.map(it => `${kind}:${it}`), hour: '8' })

/** Who was mailed of one proposal. */
const offered = async (scene: Scene) =>
  (await mailed(scene, [offers!])).filter(it => it.subject.startsWith('P-2026-031')).map(it => it.recipient)

/** Where a mail is unsubscribed from. */
async function sent(scene: Scene, role: Role) {
  const [mail] = (await mailed(scene, [offers!])).filter(it => it.recipient === whoIs(role).email)
  const [address = ''] = /\/portal\/brightside\/unsubscribe\/[\w-]+/.exec(mail!.text) ?? []
  return { address, text: mail!.text }
}
