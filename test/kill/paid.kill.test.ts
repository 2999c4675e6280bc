import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import type { Knex } from 'knex'
import { card, postForm } from '../../demo/bank/browser.ts'
import { type ListeningBank, listen } from '../../demo/bank/listen.ts'
import { connectBank, portalUrl } from '../../demo/portal-database.ts'
import { close, fresh, password, postgres, secret, urlOf } from '../database.ts'
import { fallDue, until } from '../until.ts'
import { whoIs } from '../visit.ts'

/** How many processes are killed; `npm run proof` kills two hundred. */
const kills = Number(process.env.PORTICO_KILLS ?? 4) * (process.env.PORTICO_KILLS ? 2 : 1)

describe('payments in the middle of which the portal is killed', function () {
  this.timeout(240_000 + kills * 10_000)
  let child: ChildProcess | undefined

  afterEach(() => void child?.kill('SIGKILL'))

  it('are each in the CRM’s books once if the bank took them, and not at all if it did not', async () => {
    const copy = await fresh()
    await postgres.raw(`alter database ${copy.name} set synchronous_commit = on`)
    const open = await invoices(copy.owner, kills * 30)
    const { rows: clock } = await copy.owner.raw('select portal.now() as now')
    const ahead = clock[0].now.getTime() - Date.now()
    const bank = await listen({ now: () => Date.now() + ahead })
    await connectBank(copy.owner, copy.database, secret, bank.key)
    const start = () => launch(copy.name, bank)
    let running = await start()
    const cookie = await signIn(running.url)

    let killed = 0
    while (killed < kills && open.length) {
      child = running.child
      const end = setTimeout(() => child?.kill('SIGKILL'), Math.random() * 1_200)
      const gone = once(child, 'exit')
      await Promise.all([1, 2, 3].map(() => paying(running.url, cookie, open, bank)))
      await gone
      clearTimeout(end)
      killed++
      await until(() =>
        copy
          .owner('portal_jobs.job')
          .where({ state: 'active' })
          .update({ state: 'retry', start_after: new Date(0) })
          .then(() => true),
      )
      running = await start()
    }

    // Nobody came back, and no webhook was sent: what is not known yet is asked for.
    child = running.child
    await copy
      .owner('portal.client_payments')
      .update({ started_at: copy.owner.raw("started_at - interval '3 minutes'") })
    const paid = Object.values(bank.state.sessions).filter(it => it.payment_status === 'paid')
    await fallDue(copy.owner, 'pay.reconcile')
    await until(async () => {
      const rows = await copy.owner('portal.client_payments').where({ booking: 'booked' })
      return rows.length === paid.length
    }, 120)
    const rows = await copy.owner('portal.client_payments')
    const ours = rows.filter(it => it.state === 'paid')
    expect(ours.map(it => it.session).sort()).to.deep.equal(paid.map(it => it.id).sort())
    const booked = await copy.owner('payments').whereIn(
      'reference',
      ours.map(it => it.charge),
    )
    expect(booked.map(it => it.reference).sort()).to.deep.equal(ours.map(it => it.charge).sort())
    const negative = await copy.owner('invoices').where('balance', '<', 0)
    expect(negative).to.have.length(0)
    expect(paid.length).to.be.above(0)
    console.log(`      ${killed} killed, ${rows.length} begun, ${paid.length} paid and booked once`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await bank.close()
    await close(copy)
  })
})

/** Copies of an open invoice of the owner's company. */
async function invoices(owner: Knex, many: number): Promise<string[]> {
  const { rows } = await owner.raw(
    `insert into invoices (workspace_id, client_id, contact_id, owner_id, ref_no, subject, state, issued_on, due_on,
       currency_code, net_total, tax_total, grand_total, balance)
     select workspace_id, client_id, contact_id, owner_id, 'K-' || n, subject, state, issued_on, due_on, currency_code,
       net_total, tax_total, grand_total, grand_total
     from invoices, generate_series(1, ?) n where ref_no = '2026-0112' and workspace_id = 1 returning id`,
    [many],
  )
  return rows.map((it: { id: number }) => String(it.id))
}

/** Begins to pay and pays at the bank, one after the other, until the portal is gone. */
async function paying(url: string, cookie: string, open: string[], bank: ListeningBank) {
  for (;;) {
    const id = open.shift()
    if (!id) return
    try {
      const headers = { cookie, 'Content-Type': 'application/json' }
      const body = JSON.stringify({ document: [`invoices/${id}`], method: 'stripe' })
      const begun = await fetch(`${url}/portal/brightside/api/v1/pay`, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
      })
      const { address } = (await begun.json()) as { address: string }
      await postForm(address, card())
      const session = bank.state.sessions[address.split('/').at(-1)!]
      if (session?.success_url)
        await fetch(session.success_url.replace(/^https:\/\/crm\.example/, url), { headers: { cookie } })
    } catch {
      return
    }
  }
}

async function launch(name: string, bank: ListeningBank): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
    env: {
      ...process.env,
      OWNER_URL: urlOf(name),
      PORTAL_URL: portalUrl(urlOf(name), password),
      PORTAL_STRIPE_ADDRESS: bank.address,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface({ input: child.stdout! }), 'line')
  return { url: `http://127.0.0.1:${port}`, child }
}

async function signIn(url: string): Promise<string> {
  const { email, password: word } = whoIs('owner')
  const body = new URLSearchParams({ email, password: word })
  const answer = await fetch(`${url}/portal/brightside/sign-in`, { method: 'POST', redirect: 'manual', body })
  if (answer.status !== 303) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .find(it => it.startsWith('portico.sid'))!
    .split(';')[0]!
}
