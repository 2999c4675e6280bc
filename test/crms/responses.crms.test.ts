import { expect } from 'chai'
import type { Offers } from '../../plugins/_offers/port.ts'
import { adapterOf, type CrmMap } from '../../src/index.ts'
import { serving } from '../serving.ts'
import { type Copy, copyOf, customerOf, workspacesOf } from './database.ts'
import { type RecordedResponse, recordedResponses } from './recorded.ts'
import { type Snapshot, snapshots } from './snapshots.ts'

/** As the recorded calls had it, where they wrote such a thing. */
const response = {
  ...{ key: 'one key', version: 1, at: new Date('2026-11-22T08:00:00Z'), on: '2026-11-22', selection: null },
  ...{ by: { name: 'Api Signer', email: 'signer@client.example', contact: null }, orderNumber: 'PO-API' },
  ...{ reason: 'Too <b>dear</b>', requestedOn: null },
}

describe('Responses to real CRMs by their kept maps', function () {
  this.timeout(120_000)

  for (const snapshot of snapshots.filter(it => recordedResponses[it.name] && it.file('accept.json')))
    describe(snapshot.title, () => {
      let copy: Copy
      before(async () => {
        copy = await copyOf(snapshot)
      })
      after(() => copy?.close())

      for (const it of recordedResponses[snapshot.name]!(snapshot.file('accept.json')))
        comparesCalls(snapshot, it, () => copy)

      it('writes nothing into its tables', () => {
        expect(Object.keys(adapterOf(switchedOn(snapshot.map), copy.database).writes ?? {})).to.deep.equal([])
      })
    })
})

function comparesCalls(snapshot: Snapshot, recorded: RecordedResponse, copy: () => Copy) {
  it(`${recorded.act}: calls what its own record has, and reads then what it made of it`, async () => {
    const api = recordedApi(recorded, copy())
    const server = await serving(api.answer)
    const forget = pointTo(server.url, snapshot.map)
    const port = await portOf(snapshot, recorded, copy())
    const its = { ...response, act: recorded.act, ...(recorded.act === 'accepted' ? { reason: null } : {}) }
    await port.submit!(recorded.id, its).finally(server.close).finally(forget)

    expect(api.heard.map(it => `${it.method} ${it.path}`)).to.deep.equal(
      recorded.calls.map(it => `${it.method} ${it.path}`),
    )
    expect((await port.find(recorded.id)).status).to.equal(recorded.act)
    for (const it of recorded.calls) expectSameValues(it, api.heard)
  })
}

interface Heard {
  method: string
  path: string
  body: any
}

/** A server that answers as the CRM did, and does to its rows what the CRM did. */
function recordedApi({ calls }: RecordedResponse, { owner }: Copy) {
  const heard: Heard[] = []
  return {
    heard,
    async answer(request: { method?: string; url?: string }, body: any) {
      const said = { method: request.method ?? '', path: request.url ?? '', body }
      heard.push(said)
      const known = calls.find(it => it.method === said.method && it.path === said.path && holds(body, it.body))
      if (!known) return 400
      for (const { table, key, set } of known.updates) await owner(table).where(key).update(set)
      return known.status
    },
  }
}

const holds = (body: any, part: Record<string, unknown>) =>
  Object.entries(part).every(([name, value]) => JSON.stringify(body[name]) === JSON.stringify(value))

/** What Odoo is told to write is what it wrote; what people typed is escaped for a CRM that shows it as HTML. */
function expectSameValues({ path, updates }: RecordedResponse['calls'][number], heard: Heard[]) {
  const { body } = heard.find(it => it.path === path)!
  const written = Object.assign({}, ...updates.map(it => it.set))
  for (const [name, value] of Object.entries(body.vals ?? {}))
    expect(String(written[name]).replace('T', ' '), name).to.equal(value)
  expect(body.note_private ?? '').not.to.include('<b>')
}

/** Sets what the map's calls name of the environment, all of it addresses or keys. Returns what takes it back. */
function pointTo(url: string, map: CrmMap) {
  const names = [...JSON.stringify(map).matchAll(/\{env (\w+)\}/g)].map(([, name = '']) => name)
  for (const name of names) process.env[name] = name.endsWith('URL') ? url : 'a key of the test'
  return () => {
    for (const name of names) delete process.env[name]
  }
}

async function portOf(snapshot: Snapshot, { section, id }: RecordedResponse, copy: Copy): Promise<Offers> {
  const map = switchedOn(snapshot.map)
  const workspaces = await workspacesOf(map, copy.owner)
  const { client, workspace } = await ownerOf(map, section, id, copy)
  const customer = customerOf(workspaces.get(workspace)!, client, snapshot.truth().asOf)
  return adapterOf(map, copy.database).connect(customer)[section as 'proposals' | 'quotations']!
}

/** Whose it is, by the CRM's own columns. */
async function ownerOf(map: CrmMap, section: RecordedResponse['section'], id: string, { owner }: Copy) {
  const { table, id: key = 'id' } = map[section]!
  const row = await owner(table!)
    .where({ [key]: id })
    .first()
  if (!row) throw new Error(`${section}/${id} is not in the snapshot`)
  if (table === 'llx_propal') return { client: String(row.fk_soc), workspace: String(row.entity) }
  const partner = await owner('res_partner').where({ id: row.partner_id }).first()
  return { client: String(partner.commercial_partner_id), workspace: String(row.company_id) }
}

function switchedOn(map: CrmMap): CrmMap {
  const on = (it: CrmMap['quotations']) => it && { ...it, responses: it.responses && { ...it.responses, off: false } }
  return { ...map, quotations: on(map.quotations), proposals: on(map.proposals) } as CrmMap
}
