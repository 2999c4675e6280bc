import { type Answer, type Answers, type Findings, implemented, missing, partial, shown } from './answer.ts'
import { gateway, gatewaysOf } from './gateways.ts'
import { scoped } from './surface.ts'
import { clientSurface } from './views.ts'

/** D3 to D5: tenants, ownership, payment. */
export const judgeBackend = (findings: Findings): Pick<Answers, 'D3' | 'D4' | 'D5'> => ({
  D3: judgeTenants(findings),
  D4: judgeOwnership(findings),
  D5: judgePayment(findings),
})

function judgeTenants({ facts, data }: Findings): Answer {
  const { table, note } = data.tenants
  const columns = [data.clients, data.invoices, data.quotations]
    .filter(it => it.tenant)
    .map(it => `${it.table}.${it.tenant}`)
  if (table && columns.length) return implemented(`Rows belong to a tenant (${table}; ${note}).`, columns)
  const apart = facts.mentions.filter(it => it.kind === 'tenancy')
  const files = new Set(apart.map(it => it.at.split(':')[0]))
  if (files.size >= 3)
    return implemented(
      'Each tenant has a database of its own.',
      apart.map(it => it.at),
      0.7,
    )
  return missing('One company has the database to itself.', [], 0.8)
}

function judgeOwnership(findings: Findings): Answer {
  const reached = clientSurface(findings).filter(one =>
    ['quotations', 'invoices', 'proposals'].some(kind => one.documents.has(kind as 'invoices')),
  )
  const inside = reached.filter(one => one.actor === 'client')
  const own = inside.filter(one => scoped.test(one.route.body))
  if (own.length) return implemented("Handlers look documents up under the session's client.", shown(own, 3))
  if (inside.length)
    return partial(
      "Documents are behind the client's guard; that each is the client's own was not found.",
      shown(inside, 3),
      0.55,
    )
  const linked = reached.filter(one => one.actor === 'holder')
  if (linked.length) return partial('Possession of the token is all that is asked.', shown(linked, 3))
  return missing('Permissions are about staff.', [], 0.8)
}

function judgePayment({ facts, data }: Findings): Answer {
  const gateways = gatewaysOf(facts)
  if (gateways.length)
    return implemented(
      'A payment gateway is called for documents of clients.',
      gateways.map(it => it.at),
    )
  const packages = facts.packages.filter(it => gateway.test(it.name))
  const vendor = facts.mentions.filter(it => it.kind === 'gateway')
  if (vendor.length)
    return missing(
      "A gateway is there for the vendor's own subscriptions, not for invoices.",
      vendor.map(it => it.at).slice(0, 2),
      0.6,
    )
  const owed = data.invoices.table ?? data.orders.table ?? data.payments.table ?? data.quotations.table
  if (packages.length && facts.tables.length && !owed)
    return missing(
      'A gateway is among the packages; the CRM keeps nothing that clients owe.',
      packages.map(it => it.at).slice(0, 2),
      0.6,
    )
  if (packages.length)
    return partial(
      'A gateway is among the packages; no code of invoices calls it.',
      packages.map(it => it.at),
      0.5,
    )
  return missing('No payment gateway; payments are recorded by staff.', [], 0.8)
}
