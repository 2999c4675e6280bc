import { expect } from 'chai'
import { setClock } from '../../test/database.ts'
import { moments } from '../../test/proof/moments.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { faults } from '../evidence/chain.ts'
import { currentTime, readClock } from './clock.ts'
import { daysLater } from './dates.ts'
import { dateIn } from './i18n.ts'

const settings = '/settings/client-portal'
const rightNow = { name: 'the moment at which this runs', at: new Date(), zone: process.env.TZ ?? 'UTC' }

describe('the clock', () => {
  afterEach(leave)

  it('follows the database, whatever the clock of the process says', async () => {
    const scene = await open({ mail: 'kept', at: '2031-05-05T10:00:00Z' })
    const owner = await scene.visit('owner')
    const admin = await scene.visit('admin')
    expect(await admin.at(`${settings}/activity`)).to.show('5 May 2031')
    const [session] = await scene.owner('portal.client_sessions').select('started_at', 'expire')
    expect(dateIn('UTC', session.started_at)).to.equal('2031-05-05')
    expect(dateIn('UTC', session.expire)).to.equal('2031-05-06')
    expect((await owner.get('/account')).status).to.equal(200)
    await scene.pass(25 * 60)
    expect((await owner.get('/account')).status).to.equal(303)
  })

  it('of a signed-in request is exact: it comes with the session', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    await setClock(scene.owner, '2026-11-22T00:30:00Z')
    expect(dateIn('UTC', currentTime(scene.database))).to.equal('2026-11-21')
    expect(await owner.get('/invoices/statement')).to.show('value="2026-11-22"')
  })

  it('is measured again, and a machine whose own clock is wrong is warned of', async () => {
    const scene = await open()
    const { now } = Date
    const wrongBy = 10 * 60_000
    Date.now = () => now() + wrongBy
    try {
      await readClock(scene.database, {
        ...console,
        warn: (facts: any) => scene.log.push({ level: 'warn', facts, sentence: '' }),
      })
      expect(scene.log.at(-1)?.facts.milliseconds).to.be.within(-wrongBy - 1_000, -wrongBy + 1_000)
      const [{ time }] = (await scene.owner.raw('select portal.now() as time')).rows
      expect(Math.abs(currentTime(scene.database).getTime() - time.getTime())).to.be.below(1_000)
    } finally {
      Date.now = now
      await readClock(scene.database, console)
    }
  })

  for (const { name, at, zone } of [...moments, rightNow])
    it(`shows, judges and signs right at ${name}, in ${zone}`, async () => {
      const scene = await open({ mail: 'kept', at: at.toISOString() })
      const today = dateIn(zone, at)
      await scene.owner('workspaces').where({ slug: 'brightside' }).update({ time_zone: zone })
      await dueOn(scene, '2026-0118', daysLater(today, -1))
      await dueOn(scene, '2026-0121', today)
      const proposals = scene.owner('proposals').where({ ref_no: 'P-2026-031' })
      await proposals.clone().update({ issued_on: daysLater(today, -1), valid_until: today })
      const owner = await scene.visit('owner')

      const invoices = await owner.get('/invoices?sort=newest')
      expect(await statusOf(owner, '2026-0118')).to.equal('overdue')
      expect(await statusOf(owner, '2026-0121')).to.equal('open')
      expect(invoices).to.show('Overdue 1 day')
      const { id } = await proposals.clone().first('id')
      const page = await owner.get(`/proposals/${id}/acceptance`)
      expect(await owner.get(`/proposals/${id}`)).to.show('Expires today')

      const [, seen = ''] = /name="seen" value="([^"]*)"/.exec(page.text) ?? []
      const form = { seen, agree: 'on', how: 'typed', typed: whoIs('owner').name }
      expect((await owner.post(`/proposals/${id}/acceptance`, form)).status).to.equal(303)
      const signature = await until(async () => {
        const row = await scene.owner('portal.client_signatures').where({ act: 'accepted' }).first()
        return row?.sealed && row
      })
      expect(signature.at.getTime()).to.be.within(at.getTime(), at.getTime() + 60_000)
      expect(JSON.parse(signature.evidence).at).to.equal(signature.at.toISOString())
      expect(await faults(scene.database, '1')).to.deep.equal([])

      const admin = await scene.visit('admin')
      const thatDay = await admin.at(`${settings}/activity?from=${today}&until=${today}`)
      expect(thatDay).to.show('accepted proposal P-2026-031')
      const dayBefore = daysLater(today, -1)
      const before = await admin.at(`${settings}/activity?from=${dayBefore}&until=${dayBefore}`)
      expect(before).to.not.show('accepted proposal P-2026-031')

      await scene.pass(23 * 60)
      expect((await owner.get('/account')).status, '23 hours later').to.equal(200)
      await scene.pass(25 * 60)
      expect((await owner.get('/account')).status, '25 hours after that').to.equal(303)
    })
})

const dueOn = ({ owner }: Scene, number: string, day: string) =>
  owner('invoices')
    .where({ ref_no: number })
    .update({ issued_on: daysLater(day, -14), due_on: day, state: 'sent' })

const statusOf = async (visitor: Visitor, number: string) =>
  (await visitor.api(`/invoices?search=${number}`)).body.items[0].status
