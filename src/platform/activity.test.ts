import { expect } from 'chai'
import { type Copy, fresh } from '../../test/database.ts'
import { activityLog, entries, type Row } from './activity.ts'

const row = (workspace: string, n: number): Row => ({
  workspace_id: workspace,
  event: 'invoices.viewed',
  actor_kind: 'client',
  actor_id: 'p',
  actor_name: 'P',
  client_id: 'c',
  subject_id: String(n),
  subject: { number: `${n}` },
  address: null,
  agent: null,
})

describe('the journal', () => {
  let copy: Copy
  before(async () => {
    copy = await fresh()
  })

  it('has written a row when it says so, and shares statements among those that wait', async () => {
    let statements = 0
    const counting = new Proxy(copy.database, {
      get: (it, name) => (name === 'client' ? { ...connectionOf(it), counted: statements++ } : Reflect.get(it, name)),
    })
    const write = activityLog(counting)
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const workspace = String(9000 + (n % 2))
        await write(row(workspace, n))
        const stored = await copy
          .owner('portal.client_activity_logs')
          .where({ workspace_id: workspace, subject_id: String(n) })
          .select('id')
        expect(stored).to.have.length(1)
      }),
    )
    expect(statements / 2).to.be.below(20)
  })

  it('reports a failed write to its callers and continues', async () => {
    const write = activityLog(copy.database)
    const lost = await Promise.allSettled([write(row('9100', 1)), write({ ...row('9100', 2), actor_kind: 'martian' })])
    await write(row('9100', 3))

    expect(lost.map(it => it.status)).to.deep.equal(['rejected', 'rejected'])
    expect(
      (await entries(copy.database, { workspace: '9100' }, { size: 9 })).map(it => it.subject.number),
    ).to.deep.equal(['3'])
  })
})

const connectionOf = (database: Copy['database']) => ({
  acquireConnection: () => database.client.acquireConnection(),
  releaseConnection: (it: unknown) => database.client.releaseConnection(it),
})
