import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'

const area = '/settings/client-portal/people/import'

describe('people of a large spreadsheet', function () {
  this.timeout(60_000)
  afterEach(leave)

  it('are a thousand at most; the lines beyond are named', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const many = Array.from({ length: 1_002 }, (_, at) => `Person ${at},p${at}@x.example,Acme Bakery`).join('\n')
    const file = { filename: 'people.csv', contentType: 'text/csv' }
    const shown = await admin.agent.post(area).attach('file', Buffer.from(many), file)
    expect(shown).to.show('2 lines too many were left out.', 'people will be invited')
    expect((await admin.agent.post(`${area}/confirmation`).field('text', many)).status).to.equal(303)
    expect(await scene.owner('portal.client_invitations').pluck('id')).to.have.length(1_000)
  })
})
