import { expect } from 'chai'
import { everyPage } from '../../src/crm/contract.ts'
import { adapterOf, type Customer } from '../../src/index.ts'
import { today } from '../database.ts'
import { copyOf } from './database.ts'
import { folder, snapshots } from './snapshots.ts'

interface RecordedFile {
  id: string
  client: string
  tenant: string
  name: string
  visible: boolean
}

describe('Files that a real CRM shares', function () {
  this.timeout(300_000)
  const alga = snapshots.find(it => it.name === 'alga-psa')
  if (!alga) return void it(`are not here: ${folder} has no AlgaPSA`, () => undefined)

  it('are those that AlgaPSA’s own portal shows to each client', async () => {
    const { files } = alga.file('truth.json') as { files: RecordedFile[] }
    const copy = await copyOf(alga)
    const crm = adapterOf(alga.map, copy.database)
    const right: string[] = []
    for (const client of new Set(files.map(it => it.client))) {
      const { tenant } = files.find(it => it.client === client)!
      const { documents } = crm.connect(customerOf(tenant, client))
      const shown = (await everyPage(documents!, { sort: 'newest' })).map(it => `${it.id.slice(0, 36)} ${it.name}`)
      const its = files.filter(it => it.client === client)
      expect(shown, client).to.have.members(its.filter(it => it.visible).map(it => `${it.id} ${it.name}`))
      right.push(...its.map(it => it.id))
    }
    expect(new Set(right).size).to.equal(files.length)
    await copy.close()
  })
})

const customerOf = (workspace: string, client: string): Customer => ({
  workspace: { id: workspace, slug: '', name: '', letterhead: [], timeZone: 'UTC' },
  client: { id: client, name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today,
})
