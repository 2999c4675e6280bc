import { NotFound, query } from 'portico'

/** How Portico reads this CRM: it has invoices, and few of them for each client. */
export const adapter = database => ({
  directory: {
    async workspace(slug) {
      const text = 'select id::text, slug, name, country from workspaces where slug = $1'
      const [row] = await query(database, { text, values: [slug] })
      return row && { ...row, letterhead: [row.name, row.country], timeZone: 'Europe/Amsterdam' }
    },

    async client(workspace, id) {
      const text = 'select id::text, name, city from clients where workspace_id = $1 and id::text = $2'
      const [row] = await query(database, { text, values: [workspace.id, id] })
      return row && { ...row, address: [row.name, row.city] }
    },

    contacts: (_workspace, clientId) =>
      query(database, {
        text: 'select id::text, name, email from contacts where client_id::text = $1',
        values: [clientId],
      }),
  },

  connect: (customer, tx) => ({ invoices: invoices(tx ?? database, customer) }),

  reads: {
    directory: {
      workspaces: ['id', 'slug', 'name', 'country'],
      clients: ['id', 'workspace_id', 'name', 'city'],
      contacts: ['id', 'client_id', 'name', 'email'],
    },
    invoices: {
      invoices: ['id', 'client_id', 'number', 'subject', 'amount', 'sent_on', 'due_on', 'paid_on'],
      clients: ['id', 'name', 'city'],
    },
  },
})

function invoices(database, { client, today }) {
  const mine = async () =>
    (
      await query(database, {
        text: `select id::text, number, subject, amount::text, sent_on::text, due_on::text, paid_on::text
               from invoices where client_id::text = $1 order by sent_on desc, id desc`,
        values: [client.id],
      })
    ).map(row => summary(row, today))

  return {
    async list({ status, search, sort, after, size }) {
      const found = (await mine())
        .map(it => it.shown)
        .filter(it => !status || it.status === status || (status === 'open' && it.status === 'overdue'))
        .filter(
          it => !search || `${it.number}\n${it.title}\n${it.total.amount}`.toLowerCase().includes(search.toLowerCase()),
        )
        .sort(orders[sort])
      const from = /^\d{1,6}$/.test(after) ? Number(after) : 0
      const next = from + size
      return { items: found.slice(from, next), next: next < found.length ? String(next) : null }
    },

    async overview({ since, monthsFrom } = { since: [] }) {
      const all = await mine()
      const open = all.filter(it => !it.paidOn).map(it => it.shown)
      const late = open.filter(it => it.status === 'overdue')
      return {
        counts: { all: all.length, open: open.length, overdue: late.length, paid: all.length - open.length },
        due: sum(open.map(left)),
        overdue: sum(late.map(left)),
        oldestDueOn: open.map(it => it.dueOn).sort()[0] ?? null,
        ageing: [
          { age: 'current', amounts: sum(open.filter(it => it.status === 'open').map(left)) },
          { age: 'over-90', amounts: sum(late.map(left)) },
        ],
        periods: since.map(day => ({
          since: day,
          invoiced: sum(all.filter(it => it.shown.sentOn >= day).map(it => it.shown.total)),
          paid: sum(all.filter(it => it.paidOn >= day).map(it => it.shown.total)),
        })),
        months: monthsFrom ? months(all, monthsFrom) : [],
      }
    },

    async statement(from, until) {
      const moves = (await mine())
        .flatMap(({ shown, paidOn }) => [
          move(shown.sentOn, 'invoice', shown, shown.total.amount),
          ...(paidOn ? [move(paidOn, 'payment', shown, `-${shown.total.amount}`)] : []),
        ])
        .sort((a, b) => compare(a.on, b.on))
      let open = 0
      for (const it of moves) {
        open += Math.round(it.amount.amount * 100)
        it.balance = money((open / 100).toFixed(2))
      }
      const opening = moves.findLast(it => it.on < from)?.balance ?? money('0.00')
      const entries = moves.filter(it => it.on >= from && it.on <= until)
      return moves.length ? [{ opening, entries, closing: entries.at(-1)?.balance ?? opening }] : []
    },

    async find(id) {
      const found = (await mine()).find(it => it.shown.id === id)
      if (!found) throw new NotFound()
      const { shown, paidOn } = found
      const { title, total } = shown
      return {
        ...shown,
        orderNumber: null,
        to: [client.name],
        termDays: null,
        account: null,
        remarks: null,
        lines: [
          {
            ...{ group: null, title, details: null, quantity: '1', unit: null, price: total, discount: null, total },
            ...{ optional: false, chosen: false },
          },
        ],
        sums: { discount: null, net: total, taxes: [], total },
        remindedOn: null,
        payments: paidOn ? [{ id, on: paidOn, amount: total, method: 'bank', payer: null }] : [],
        creditNotes: [],
      }
    },
  }
}

const move = (on, kind, { id, number, title }, amount) => ({
  on,
  kind,
  number,
  invoice: { id, number, title },
  amount: money(amount),
})
const money = amount => ({ amount, currency: 'EUR' })

function summary(row, today) {
  const status = row.paid_on ? 'paid' : row.due_on < today ? 'overdue' : 'open'
  return {
    paidOn: row.paid_on,
    shown: {
      ...{ id: row.id, number: row.number, title: row.subject, sentOn: row.sent_on, dueOn: row.due_on, status },
      total: money(row.amount),
      balance: money(row.paid_on ? '0.00' : row.amount),
    },
  }
}

/** The rows come newest first, and sort() keeps them so where nothing else decides. */
const orders = {
  newest: () => 0,
  amount: (a, b) => b.total.amount - a.total.amount,
  urgent: (a, b) =>
    Number(a.status === 'paid') - Number(b.status === 'paid') || (a.status === 'paid' ? 0 : compare(a.dueOn, b.dueOn)),
}
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

const left = it => it.balance
const sum = amounts => (amounts.length ? [total(amounts)] : [])
const total = amounts => money((amounts.reduce((cents, it) => cents + Math.round(it.amount * 100), 0) / 100).toFixed(2))

function months(all, from) {
  const of = (month, on) => all.filter(it => on(it)?.startsWith(month)).map(it => it.shown.total)
  const [sent, paid] = [it => it.shown.sentOn, it => it.paidOn]
  return [...new Set(all.flatMap(it => [sent(it), paid(it)]))]
    .filter(day => day >= from)
    .map(day => day.slice(0, 7))
    .filter((month, at, every) => every.indexOf(month) === at)
    .sort()
    .map(month => ({ month, invoiced: total(of(month, sent)), paid: total(of(month, paid)) }))
}
