import { expect } from 'chai'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { migrate } from '../../src/index.ts'
import { type Copy, close, fresh, today } from '../../test/database.ts'
import { copies } from '../../test/kill/copies.ts'
import { acme, mailed, nine, round, set, switched, watched } from '../../test/reminders.ts'
import { fallDue, until } from '../../test/until.ts'
import { leave, open, whoIs } from '../../test/visit.ts'
import { momentOf, momentsIn, momentsText } from './moments.ts'

/** Valid until three days from today. */
const number = 'P-2026-031'
const its = { ref_no: number, workspace_id: 1 }
const settings = '/settings/client-portal'

describe('reminders before expiry', () => {
  afterEach(leave)

  it('tell those who may answer, in their language, with the way to it and the way out', async () => {
    const scene = await open()
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .update({ language: 'es' })
    await round(scene)

    const mails = await mailsOf(scene)
    expect(mails.map(it => it.recipient)).to.deep.equal([whoIs('owner').email, whoIs('approver').email])
    const [english, spanish] = mails
    expect(english!.subject).to.equal('P-2026-031: please answer by Tuesday 24 November')
    expect(spanish!.subject).to.equal('P-2026-031: responda a más tardar el martes, 24 de noviembre')
    const { id } = await scene.owner('proposals').where(its).first('id')
    expect(english!.text).to.include(`https://crm.example/portal/brightside/proposals/${id}`)
    expect(english!.text).to.include('https://crm.example/portal/brightside/notifications/settings')
    expect(english!.text).to.include(
      '“Winter campaign and shop relaunch, phase two”, from Brightside Agency for Acme Bakery',
    )
    expect(english!.text).to.include('€16,736.72')
    expect(await (await scene.visit('owner')).get('/activity')).to.show(
      'The portal',
      'reminded 2 people of proposal P-2026-031, version 2',
    )
    expect(await (await scene.visit('admin')).at(`${settings}/activity`)).to.show('The portal', 'reminded 2 people')
  })

  it('come once for each moment and version, and not between', async () => {
    const scene = await open()
    const told = async (at: string) => {
      const before = (await mailsOf(scene)).length
      await round(scene, { at })
      return (await mailsOf(scene)).length - before
    }
    expect(await told('2026-11-20T08:00:00Z')).to.equal(0)
    expect(await told(nine)).to.equal(2)
    expect(await told('2026-11-21T12:00:00Z')).to.equal(0)
    // Nothing is lost with the day on which the portal was down, and nothing comes twice.
    expect(await told('2026-11-22T08:00:00Z')).to.equal(0)
    await scene.owner('proposals').where(its).update({ version: 3 })
    expect(await told('2026-11-22T09:00:00Z')).to.equal(2)
    expect(await told('2026-11-24T08:00:00Z')).to.equal(2)
    expect(await told('2026-11-24T09:00:00Z')).to.equal(0)
    await scene.owner('proposals').where(its).update({ valid_until: '2026-11-30' })
    expect(await told('2026-11-25T08:00:00Z')).to.equal(0)
    expect(await told('2026-11-27T08:00:00Z')).to.equal(2)
    expect(await told('2026-12-01T08:00:00Z')).to.equal(0)
  })

  it('come only between 8 and 18 o’clock of the workspace', async () => {
    const scene = await open()
    for (const at of ['06:59', '17:00', '23:30', '02:00']) await round(scene, { at: `${today}T${at}:00Z` })
    expect(await mailsOf(scene)).to.be.empty
    await round(scene, { at: `${today}T16:59:00Z` })
    expect(await mailsOf(scene)).to.have.length(2)
  })

  for (const [why, change] of [
    ['that is withdrawn', it => it.owner('proposals').where(its).update({ state: 'withdrawn' })],
    ['that has expired', it => it.owner('proposals').where(its).update({ valid_until: '2026-11-20' })],
    ['that holds for ever', it => it.owner('proposals').where(its).update({ valid_until: null })],
    ['that was sent no earlier', it => it.owner('proposals').where(its).update({ issued_on: today })],
    ['that is answered', it => it.owner('proposals').where(its).update({ state: 'accepted' })],
    ['whose answer is on its way', it => onItsWay(it)],
    ['whose section is off', it => switched(it, 'proposals')],
    ['whose answering is off', it => switched(it, 'proposals.responses')],
    ['whose reminders are off', it => switched(it, 'proposals.reminders')],
    ['whose client sees no proposals', async it => switched(it, 'proposals', await acme(it))],
    ['where no reminders are wanted', it => set(it, 'reminders', 'none')],
    [
      'of a client that is gone',
      it => it.owner.raw(`update clients set archived = true where company_name = 'Acme Bakery'`),
    ],
  ] as [string, (it: Copy) => PromiseLike<unknown>][])
    it(`never come for one ${why}`, async () => {
      const copy = await fresh()
      await change(copy)
      await round(copy)
      expect(await mailsOf(copy)).to.deep.equal([])
      await close(copy)
    })

  it('go to nobody who is suspended, has left, may not answer, or is excepted', async () => {
    const copy = await fresh()
    const tell = async (undo: (it: Copy) => PromiseLike<unknown>) => {
      await round(copy)
      const to = (await mailsOf(copy)).map(it => it.recipient)
      for (const table of ['client_outbox', 'client_reminders']) await copy.owner(`portal.${table}`).del()
      await undo(copy)
      return to
    }
    const people = () => copy.owner('portal.client_users').where({ email: whoIs('approver').email })
    const only = [whoIs('owner').email]
    await people().update({ suspended_at: new Date() })
    expect(await tell(() => people().update({ suspended_at: null }))).to.deep.equal(only)
    const { id } = await people().first('id')
    await switched(copy, 'proposals.responses', await acme(copy), id)
    expect(await tell(it => it.owner('portal.client_portal_settings').del())).to.deep.equal(only)
    const role = (is: string) => copy.owner('portal.client_memberships').where({ person_id: id }).update({ role: is })
    await role('member')
    expect(await tell(() => role('approver'))).to.deep.equal(only)
    await copy
      .owner('contacts')
      .where({ email: whoIs('approver').email })
      .update({ left_on: today })
    expect(await tell(async () => undefined)).to.deep.equal(only)
    await close(copy)
  })

  it('come once, however many processes go through the same at once', async () => {
    const copy = await fresh()
    const made = await copies(copy.owner, 20)
    await Promise.all([round(copy), round(copy), round(copy)])
    expect(await mailsOf(copy)).to.have.length(2 * (made.length + 1))
    const { rows } = await copy.owner.raw(
      `select count(*)::int as n from portal.client_activity_logs where event = 'proposals.reminded'`,
    )
    expect(rows[0].n).to.equal(made.length + 1)
    await close(copy)
  })

  it('read no more of a list than a page at a time, and no further than they have to', async () => {
    const copy = await fresh()
    await copies(copy.owner, 120)
    await copy
      .owner('proposals')
      .where('ref_no', '>', 'K-6')
      .andWhere('ref_no', 'like', 'K-%')
      .update({ valid_until: '2027-06-01' })
    const sizes: number[] = []
    const crm = watched(copy, ports => {
      const { list } = ports.proposals
      return {
        ...ports,
        proposals: {
          ...ports.proposals,
          list: async (filter: any) => {
            const page = await list(filter)
            sizes.push(page.items.length)
            return page
          },
        },
      }
    })
    await round(copy, { crm })
    const { length } = await copy.owner('proposals').where('ref_no', 'like', 'K-%').where({ valid_until: '2026-11-24' })
    expect(length).to.be.above(60)
    expect(await mailsOf(copy)).to.have.length(2 * (length + 1))
    expect(Math.max(...sizes)).to.equal(50)
    await close(copy)
  })

  it('go on with the next hundred clients', async () => {
    const copy = await fresh()
    const { person_id, workspace_id } = await copy
      .owner('portal.client_memberships')
      .where({ client_id: await acme(copy) })
      .first()
    const rows = Array.from({ length: 150 }, (_, at) => ({
      workspace_id,
      person_id,
      client_id: `-${at}`,
      client_name: 'x',
      role: 'admin',
    }))
    await copy.owner('portal.client_memberships').insert(rows)
    const last = await round(copy)
    expect(last).to.match(/^-/)
    expect(await mailsOf(copy)).to.be.empty
    expect(await round(copy, { after: last })).to.equal(undefined)
    expect(await mailsOf(copy)).to.have.length(2)
    await close(copy)
  })

  it('wait for an unreachable CRM, and continue past a client with malformed data', async () => {
    const copy = await fresh()
    const away = watched(copy, () => {
      throw new CrmUnavailable()
    })
    const log: string[] = []
    expect(await round(copy, { crm: away, log })).to.equal(undefined)
    expect(log).to.deep.equal(['warn the CRM does not answer; nobody is reminded before the next hour'])

    const client = await acme(copy)
    await copy.owner('portal.client_memberships').insert({
      ...(await copy.owner('portal.client_memberships').where({ client_id: client }).first()),
      client_id: '!',
    })
    const odd = watched(copy, (ports, customer) => {
      if (customer.client.id === '!') throw new Error('nonsense')
      return ports
    })
    await round(copy, { crm: odd, log })
    expect(log.slice(1)).to.deep.equal(['error the people of a client could not be reminded'])
    expect(await mailsOf(copy)).to.have.length(2)
    await close(copy)
  })

  it('run by a job that is scheduled every hour, for each workspace that somebody came to', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    await Promise.all([1, 2, 3].map(() => nobody.get('/sign-in')))
    const scheduled = () => scene.owner('portal_jobs.schedule').where({ key: 'reminders.round' })
    const [schedule] = await until(async () => {
      const all = await scheduled()
      return all.length ? all : undefined
    })
    expect(schedule).to.include({ name: 'plugins', key: 'reminders.round', cron: 'FREQ=MINUTELY;INTERVAL=60' })
    await until(async () => (await scene.owner('portal.client_workspaces')).length === 1)

    await fallDue(scene.owner, 'reminders.round')
    const again = await open({ on: scene, mail: 'kept' })
    // Whichever process takes the job.
    const mail = await until(() => [...scene.mails, ...again.mails].find(it => it.to === whoIs('approver').email))
    expect(mail.subject).to.include('please answer by')
    const rounds = await scene.owner('portal_jobs.job').whereLike('singleton_key', 'reminders.round %')
    const round = { job: 'reminders.round', workspace: '1', slug: 'brightside', data: {}, round: true }
    expect(rounds).to.not.be.empty
    // On the hour there is one more.
    for (const { data } of rounds) expect(data).to.deep.equal(round)
    expect(await scheduled()).to.have.length(1)
  })

  it('know the moment that came last', () => {
    const offer = { sentOn: '2026-11-10', validUntil: '2026-11-24' }
    const at = (day: string, days = [7, 3, 0]) => momentOf(days, offer, day)
    expect(['2026-11-16', '2026-11-17', '2026-11-20', '2026-11-21', '2026-11-24'].map(it => at(it))).to.deep.equal([
      undefined,
      ...['2026-11-17', '2026-11-17', '2026-11-21', '2026-11-24'],
    ])
    expect(at('2026-11-20', [14])).to.equal(undefined)
    expect([undefined, 'none', '7 1'].map(momentsIn)).to.deep.equal([[3, 0], [], [7, 1]])
    expect([[], [0, 3, 3]].map(momentsText)).to.deep.equal(['none', '3 0'])
  })

  it('take their migrations back and bring them again', async () => {
    const copy = await fresh()
    const first = await import('./migrations/001_reminders.ts')
    const second = await import('./migrations/002_payments.ts')
    const third = await import('./migrations/003_work.ts')
    await third.down(copy.owner)
    await second.down(copy.owner)
    await first.down(copy.owner)
    await copy.owner('portal.migrations').whereLike('name', 'reminders/%').delete()
    expect(await migrate(copy.owner, { role: 'portico_app' })).to.deep.equal([
      'reminders/001_reminders',
      'reminders/002_payments',
      'reminders/003_work',
    ])
    await close(copy)
  })
})

/** As if the CRM had not been told yet. */
async function onItsWay(copy: Copy) {
  const { id } = await copy.owner('proposals').where(its).first('id')
  await copy.owner('portal.client_signatures').insert({
    ...{ workspace_id: '1', id: '01990000-0000-7000-8000-000000000000', sequence: 1, at: new Date(), act: 'accepted' },
    ...{ section: 'proposals', document_id: String(id), version: 2, number, client_id: await acme(copy), signer: 'x' },
    ...{ digest: '', previous: '', hash: '', head_key: '01990000-0000-7000-8000-000000000000', head_signature: '' },
    state: 'submitting',
  })
}

/** Of this proposal and its copies, to people of the Acme Bakery, by address. */
const mailsOf = async (copy: Copy) =>
  (await mailed(copy, ['reminders.expiry'])).filter(it => new RegExp(`^(${number}|K-)`).test(it.subject))
