import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import type { Crm } from '../../src/crm/crm.ts'
import { fresh } from '../../test/database.ts'
import { until } from '../../test/until.ts'
import { leave, open } from '../../test/visit.ts'

type Notice = Parameters<NonNullable<Crm['notify']>>[1]

describe('a CRM that takes notices for its staff', () => {
  afterEach(leave)

  it('is told what a client did, again where it failed, and without e-mail too', async () => {
    const on = await fresh()
    const notices: Notice[] = []
    let calls = 0
    const notify: Crm['notify'] = async (_workspace, notice) => {
      calls++
      if (calls === 1) throw new Error('The CRM is being updated.')
      notices.push(notice)
    }
    const crm: Crm = { ...adapter(on.database), notify }
    const scene = await open({ on, crm })
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals')).body.items
    expect((await owner.post(`/proposals/${id}/comments`, { text: 'Is travel included?' })).status).to.equal(303)

    await until(() => calls === 1)
    await until(async () => {
      await scene.owner.raw(`update portal_jobs.job set start_after = now() where name = 'plugins' and state = 'retry'`)
      return notices.length
    })
    const [notice] = notices
    expect(notice).to.include({ kind: 'questions' })
    expect(notice?.record).to.deep.equal({ section: 'proposals', id, client: '1' })
    expect(notice?.title).to.include('P-2026')
    expect(notice?.text).to.include('Is travel included?')
    expect(notice?.to.map(it => it.email)).to.include('marta@brightside.example')
    expect(notices).to.have.length(1)
  })
})
