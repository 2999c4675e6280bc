import type { SectionName } from './truth.ts'

/** A response as a CRM's own API has taken it, from accept.json: the calls, and what each changed in its database. */
export interface RecordedResponse {
  act: 'accepted' | 'declined'
  section: SectionName
  id: string
  calls: RecordedCall[]
}

interface RecordedCall {
  method: string
  path: string
  /** What must be in the body. */
  body: Record<string, unknown>
  status: number
  updates: { table: string; key: Record<string, unknown>; set: Record<string, unknown> }[]
}

/** Of the CRMs whose accept.json has calls of an API, one acceptance and one rejection. */
export const recordedResponses: Record<string, (recorded: any) => RecordedResponse[]> = {
  dolibarr: ({ cases }: { cases: DolibarrCase[] }) => [
    { act: 'accepted', section: 'proposals', ...dolibarrCall(cases, 'sign') },
    { act: 'declined', section: 'proposals', ...dolibarrCall(cases, 'refuse') },
  ],
  odoo: ({ scenarios }: { scenarios: OdooScenario[] }) => [
    {
      ...{ act: 'accepted', section: 'quotations', id: '148' },
      calls: [odooCall(scenarios, 'API: write signed_by and signed_on'), odooCall(scenarios, 'API: action_confirm')],
    },
    {
      ...{ act: 'declined', section: 'quotations', id: '168' },
      calls: [odooCall(scenarios, 'API: action_cancel'), odooCall(scenarios, 'API: message_post of the reason')],
    },
  ],
}

interface DolibarrCase {
  case: string
  proposal: { id: number }
  request: { method: string; path: string; body: Record<string, unknown> }
  answer: { http: number }
  changes: {
    table: string
    key: Record<string, unknown>
    change: string
    columns: Record<string, { after: unknown }>
  }[]
}

function dolibarrCall(cases: DolibarrCase[], name: string): { id: string; calls: RecordedCall[] } {
  const { proposal, request, answer, changes } = cases.find(it => it.case === name)!
  const updates = changes
    .filter(it => it.change === 'update')
    .map(({ table, key, columns }) => ({
      table,
      key,
      set: Object.fromEntries(Object.entries(columns).map(([column, { after }]) => [column, after])),
    }))
  return { id: String(proposal.id), calls: [{ ...request, status: answer.http, updates }] }
}

interface OdooScenario {
  scenario: string
  request: string
  reply: { status: number }
  changed: { table: string; id: number; column: string; after: unknown }[]
}

/** The request is told as `POST /json/2/sale.order/write ids=[148]`. */
function odooCall(scenarios: OdooScenario[], name: string): RecordedCall {
  const { request, reply, changed } = scenarios.find(it => it.scenario === name)!
  const [method = '', path = '', ids = ''] = request.split(' ')
  return {
    method,
    path,
    body: { ids: JSON.parse(ids.replace('ids=', '')) },
    status: reply.status,
    updates: changed.map(({ table, id, column, after }) => ({ table, key: { id }, set: { [column]: after } })),
  }
}
