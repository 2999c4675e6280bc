import { expect } from 'chai'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'
import { sections } from '../plugin/discover.ts'

const people = '/settings/client-portal/people'
const adoption = `${people}/adoption`
const again = `${adoption}/invitations`
const week = 7 * 24 * 60
const acme = async ({ owner }: Scene) =>
  String((await owner('public.clients').where({ company_name: 'Acme Bakery' }).first('id')).id)
const personOf = async ({ owner }: Scene, email: string) =>
  (await owner('portal.client_users').where({ email }).first('id')).id as string
const inviteJo = async (scene: Scene) => {
  const admin = await scene.visit('admin')
  await admin.postAt(`${people}/invite/${await acme(scene)}`, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })
  return `i:${(await scene.owner('portal.client_invitations').where({ email: 'jo@else.where' }).first('id')).id}`
}
const mailed = ({ owner }: Scene, kind: string) => owner('portal.client_outbox').where({ kind })
const result = (it: { headers: Record<string, string> }) =>
  Object.fromEntries(new URL(it.headers.location!, 'http://crm').searchParams)

describe('adoption', () => {
  afterEach(leave)

  it('lists who never came, and who came and has not for 60 days, with what waits for them', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    await inviteJo(scene)
    await scene.visit('owner')
    const before = await admin.at(adoption)
    expect(before)
      .to.show('Never signed in', 'Jo', 'jo@else.where', 'Acme Bakery, Viewer')
      .and.not.show('Nadia El-Khoury')
    const { text } = before
    const row = text
      .slice(text.indexOf(whoIs('approver').email))
      .split('</li>')[0]!
      .replace(/\s+/g, ' ')
    const waits: Record<string, number> = (await (await scene.visit('approver')).get('/waiting')).body
    expect(waits).to.not.be.empty
    for (const [section, count] of Object.entries(waits)) {
      const { title } = sections.find(it => it.name === section)!
      expect(row).to.include(`${title}: ${count}`)
    }
    expect(await admin.at(`${adoption}?show=away`)).to.show('Everybody has signed in within 60 days')

    await scene.pass(59 * 24 * 60)
    expect(await (await scene.visit('admin')).at(`${adoption}?show=away`)).to.not.show('Nadia El-Khoury')
    await scene.pass(2 * 24 * 60)
    const later = await scene.visit('admin')
    expect(await later.at(`${adoption}?show=away`)).to.show('Nadia El-Khoury', 'last signed in on 21 Nov 2026')
    expect(await later.at(adoption)).to.not.show('Nadia El-Khoury')
    await scene.visit('owner')
    expect(await later.at(`${adoption}?show=away`)).to.not.show('Nadia El-Khoury')
  })

  it('counts what waits as the person may see it', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const client_id = await acme(scene)
    const row = async () => {
      const { text } = await admin.at(adoption)
      const at = text.indexOf(whoIs('approver').email)
      return text.slice(at, text.indexOf('</li>', at))
    }
    expect(await row()).to.match(/Waiting for them/)
    const off = { workspace_id: '1', client_id, value: 'false', changed_by: 'a test' }
    const person_id = await personOf(scene, whoIs('approver').email)
    for (const { name } of sections)
      await scene.owner('portal.client_portal_settings').insert({ ...off, name, person_id })
    expect(await row()).to.not.match(/Waiting for them/)
    await scene.owner('portal.client_portal_settings').del()
    await scene.owner('portal.client_portal_settings').insert({ ...off, name: 'portal' })
    expect(await admin.at(adoption)).to.not.show(whoIs('approver').email)
  })

  it('invites again by a new link or by a reminder, never more often than weekly', async () => {
    const scene = await open({ mail: 'kept' })
    const key = await inviteJo(scene)
    const ilse = `p:${await personOf(scene, whoIs('viewer').email)}`
    const admin = await scene.visit('admin')
    expect(await admin.at(adoption)).to.show('Last invited on 21 Nov 2026', 'Possible again from 28 Nov 2026')
    expect(result(await admin.postAt(again, { one: key }))).to.include({ recent: '1' })
    expect(result(await admin.postAt(again, { chosen: [key, ilse] }))).to.include({ recent: '1', sent: '1' })
    expect(await mailed(scene, 'invitation')).to.have.length(1)
    const reminder = await scene.mailTo(whoIs('viewer').email)
    expect(reminder.subject).to.equal('Your Brightside Agency portal for Acme Bakery')
    expect(reminder.text).to.include('Marta Lindqvist').and.include('https://crm.example/portal/brightside/')
    expect(await admin.at(`${adoption}?show=never&sent=1&recent=1`)).to.show(
      'One person was invited again.',
      'their last invitation is less than a week old',
    )
    expect(await admin.at('/settings/client-portal/activity')).to.show(`reminded ${whoIs('viewer').name} of the portal`)

    await scene.pass(week + 1)
    const later = await scene.visit('admin')
    expect(result(await later.postAt(again, { all: 'on', shown: [key, ilse], chosen: [] }))).to.include({ sent: '2' })
    expect(result(await later.postAt(again, { all: 'on', shown: [key, ilse] }))).to.include({ recent: '2' })
    expect([(await mailed(scene, 'invitation')).length, (await mailed(scene, 'recall')).length]).to.deep.equal([2, 2])
  })

  it('sends one mail where two admins press at the same time', async () => {
    const scene = await open({ mail: 'kept' })
    const ilse = `p:${await personOf(scene, whoIs('viewer').email)}`
    const key = await inviteJo(scene)
    await scene.pass(week + 1)
    const admins = await Promise.all([1, 2, 3].map(() => scene.visit('admin')))
    const results = await Promise.all(admins.map(it => it.postAt(again, { chosen: [ilse, key] }).then(result)))
    expect(results.reduce((sum, it) => sum + Number(it.sent ?? 0), 0)).to.equal(2)
    expect([(await mailed(scene, 'invitation')).length, (await mailed(scene, 'recall')).length]).to.deep.equal([2, 1])
  })

  it('invites nobody who has come, is suspended, of another workspace or does not exist', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    await scene.visit('owner')
    const [here, suspended, stranger] = await Promise.all(
      (['owner', 'viewer', 'stranger'] as const).map(async it => `p:${await personOf(scene, whoIs(it).email)}`),
    )
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('viewer').email })
      .update({ suspended_at: new Date() })
    const nobody = [here!, suspended!, stranger!, 'i:x', 'p:', 'x', `i:${'0'.repeat(90)}`]
    expect(result(await admin.postAt(again, { chosen: nobody }))).to.deep.equal({ show: 'never', gone: '7' })
    for (const nonsense of [{}, { chosen: 'x'.repeat(200) }, { show: 'x', one: ['a', 'b'] }])
      expect((await admin.postAt(again, nonsense)).status).to.equal(303)
    for (const nonsense of [
      'after=x',
      'after=WyJ4IiwieSJd',
      'show=x&sent=-1',
      'after=WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIngiXQ',
    ])
      expect((await admin.at(`${adoption}?${nonsense}`)).status).to.equal(200)
    expect(await mailed(scene, 'recall')).to.be.empty
  })

  it('is told on the overview, and pages through all of them once', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const client_id = await acme(scene)
    await scene.owner.raw(
      `insert into portal.client_invitations
         (workspace_id, id, token_hash, email, name, client_id, client_name, role, invited_by, created_at)
       select '1', gen_random_uuid(), 'hash ' || n, 'n' || n || '@else.where', 'Number ' || n, ?, 'Acme Bakery', 'viewer',
         'Marta', portal.now() - interval '5 days' - (n / 3) * interval '1 second' from generate_series(1, 120) n`,
      [client_id],
    )
    expect(await admin.at('/settings/client-portal/')).to.show(
      '120 people were invited but haven’t signed in',
      `href="${adoption}"`,
    )
    const seen: string[] = []
    let at: string | undefined = adoption
    while (at) {
      const { text } = await admin.at(at)
      seen.push(...[...text.matchAll(/name="chosen" value="([^"]+)"|Possible again/g)].map(it => it[1] ?? ''))
      seen.push(...[...text.matchAll(/<bdi>(n\d+@else\.where)<\/bdi>/g)].map(it => it[1]!))
      at = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
    }
    const addresses = seen.filter(it => it.includes('@'))
    expect(new Set(addresses).size).to.equal(120)
    expect(addresses).to.have.length(120)
  })

  it('says that nobody can be invited again where no mail is sent', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    expect(await admin.at(adoption))
      .to.show('This portal sends no e-mail')
      .and.not.show('Invite chosen')
    expect((await admin.postAt(again, {})).status).to.equal(404)
  })
})
