import { expect } from 'chai'
import { type Host, plugin } from '../../src/sdk.ts'
import { fresh } from '../database.ts'
import { fallDue, until } from '../until.ts'
import { leave, open } from '../visit.ts'

describe('a job of a plugin', () => {
  afterEach(leave)

  it('continues where it ended, is retried when it fails, and waits while the portal is off', async () => {
    const copy = await fresh()
    const done: unknown[] = []
    const lent: Host[] = []
    const failures = [new Error('the first time')]
    const counting = plugin({
      name: 'counting',
      title: 'Counting',
      icon: 'message',
      order: 80,
      jobs: {
        'counting.up': {
          async work({ data, workspace }) {
            const failure = failures.pop()
            if (failure) throw failure
            done.push([workspace.slug, data.from])
            return data.from < 3 ? { from: data.from + 1 } : undefined
          },
        },
      },
      public: { path: 'counting', routes: (_router, host) => void lent.push(host) },
    })
    const on = { now: true }
    const flags = { enabledAnywhere: () => true, enabled: () => on.now }
    await open({ on: copy, plugins: [counting], flags })
    const [host] = lent as [Host]
    const workspace = { id: '1', slug: 'brightside' }
    const soon = async () => {
      await copy.owner.raw(
        `update portal_jobs.job set start_after = now() where name = 'plugins' and state in ('created', 'retry')`,
      )
      host.jobs.wake()
    }
    const unknown = copy.database.transaction(tx => host.jobs.queue(tx, { job: 'counting.dwon', workspace, data: {} }))
    expect(await unknown.catch(error => error.message)).to.equal('No plugin declares the job counting.dwon.')
    await copy.database.transaction(tx => host.jobs.queue(tx, { job: 'counting.up', workspace, data: { from: 1 } }))
    on.now = false
    await until(async () => {
      const [waits] = await copy.owner('portal_jobs.job').where({ name: 'plugins', state: 'created' })
      return waits && waits.start_after - Date.now() > 300_000
    })
    expect(done).to.deep.equal([])
    on.now = true
    await until(async () => {
      await soon()
      return done.length === 3
    })
    expect(done).to.deep.equal([1, 2, 3].map(from => ['brightside', from]))
  })

  it('that comes every so often does so where the portal is on and was used, and once for a pause', async () => {
    const copy = await fresh()
    const done: string[] = []
    const lent: Host[] = []
    const hourly = plugin({
      ...{ name: 'hourly', title: 'Hourly', icon: 'message', order: 80 },
      jobs: {
        'hourly.x': { every: 3_600, work: async ({ workspace }) => void done.push(workspace.slug) as undefined },
      },
      public: { path: 'hourly', routes: (_router, host) => void lent.push(host) },
    })
    const used = ['brightside', 'ledgerline'].map((slug, at) => ({ workspace_id: String(at + 1), slug }))
    await copy.owner('portal.client_workspaces').insert(used)
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => slug === 'ledgerline' }
    const one = await open({ on: copy, plugins: [hourly], flags })
    await until(async () => (await copy.owner('portal_jobs.schedule').where({ key: 'hourly.x' })).length)
    await one.portal.close()

    // As if no process had been there for five hours.
    const ago = new Date(Date.now() - 5 * 3_600_000)
    await copy.owner('portal_jobs.schedule').update({ created_on: ago })
    await copy.owner('portal_jobs.version').update({ cron_on: ago })
    await open({ on: copy, plugins: [hourly], flags })
    await until(() => {
      lent.at(-1)?.jobs.wake()
      return done.length
    })
    // On the hour it comes once more.
    expect([...new Set(done)]).to.deep.equal(['ledgerline'])
    const rounds = await copy.owner('portal_jobs.job').whereLike('singleton_key', 'hourly.x %')
    expect([...new Set(rounds.map(it => it.data.slug))]).to.deep.equal(['ledgerline'])
  })

  it('that is looked for is done where something is due, soon, and beside jobs that wait', async () => {
    const copy = await fresh()
    const done: string[] = []
    const due = new Set(['1', '2'])
    const watchful = plugin({
      ...{ name: 'watchful', title: 'Watchful', icon: 'message', order: 80 },
      jobs: {
        'watchful.x': {
          due: async () => [...due],
          async work({ workspace }) {
            done.push(workspace.slug)
            due.delete(workspace.id)
            return undefined
          },
        },
      },
    })
    const used = ['brightside', 'ledgerline'].map((slug, at) => ({ workspace_id: String(at + 1), slug }))
    await copy.owner('portal.client_workspaces').insert(used)
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => slug === 'ledgerline' }
    await open({ on: copy, plugins: [watchful], flags })
    await until(async () => (await copy.owner('portal_jobs.schedule').where({ key: 'watchful.x' })).length)
    await fallDue(copy.owner, 'watchful.x')
    await until(() => done.length === 1)
    due.add('2')
    await until(() => done.length === 2)
    expect(done).to.deep.equal(['ledgerline', 'ledgerline'])
    const jobs = copy.owner('portal_jobs.job')
    const looks = await jobs.where({ singleton_key: 'watchful.x', name: 'plugins-due', state: 'created' })
    expect(looks, 'one look waits').to.have.length.at.most(1)
  })

  it('that comes every so often asks for no workspace while the portal is off for all', async () => {
    const copy = await fresh()
    const hourly = plugin({
      ...{ name: 'hourly', title: 'Hourly', icon: 'message', order: 80 },
      jobs: { 'hourly.x': { every: 3_600, work: async () => undefined } },
    })
    await copy.owner('portal.client_workspaces').insert({ workspace_id: '1', slug: 'brightside' })
    await copy.owner.raw('drop function portal.used_workspaces')
    const off = { on: copy, plugins: [hourly], flags: { enabledAnywhere: () => false, enabled: () => false } }
    const one = await open(off)
    await until(async () => (await copy.owner('portal_jobs.schedule').where({ key: 'hourly.x' })).length)
    await one.portal.close()
    await fallDue(copy.owner, 'hourly.x')
    await open(off)
    const due = () => copy.owner('portal_jobs.job').where({ singleton_key: 'hourly.x' }).first()
    await until(async () => (await due()).state === 'completed')
    expect(await copy.owner('portal_jobs.job').whereLike('singleton_key', 'hourly.x %')).to.be.empty
  })

  it('waits for an instance that has the plugin, and is not held up by the same for tomorrow', async () => {
    const copy = await fresh()
    const done: unknown[] = []
    const lent: Host[] = []
    const late = plugin({
      ...{ name: 'late', title: 'Late', icon: 'message', order: 80 },
      jobs: { 'late.x': { work: async ({ data }) => void done.push(data) as undefined } },
      public: { path: 'late', routes: (_router, host) => void lent.push(host) },
    })
    const one = await open({ on: copy, plugins: [late] })
    const [host] = lent as [Host]
    const workspace = { id: '1', slug: 'brightside' }
    const queue = (seconds?: number) =>
      copy.database.transaction(tx => host.jobs.queue(tx, { job: 'late.x', workspace, data: { a: 1 }, seconds }))
    await queue(86_400)
    await queue()
    host.jobs.wake()
    await until(() => done.length === 1)
    await one.portal.close()

    await open({ on: copy })
    await copy.owner.raw(`update portal_jobs.job set start_after = now() where name = 'plugins' and state = 'created'`)
    await until(async () => {
      const [waits] = await copy.owner('portal_jobs.job').where({ name: 'plugins', state: 'created' })
      return waits && waits.start_after - Date.now() > 300_000
    })
    expect(done).to.have.length(1)
  })
})
