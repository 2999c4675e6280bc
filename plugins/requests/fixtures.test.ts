import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fillPortal } from '../../demo/portal-database.ts'
import { filesIn } from '../../src/index.ts'
import { fresh, password } from '../../test/database.ts'

describe('the demo', () => {
  it('has requests with files from its first start on, each once', async () => {
    const { owner, database } = await fresh('crm')
    const files = filesIn(mkdtempSync(join(tmpdir(), 'portico-files-')))
    for (const _ of ['first', 'second']) {
      await fillPortal(owner, database, { password, files })
      expect(await owner('portal.client_requests')).to.have.length(2)
      expect(await owner('portal.client_request_files')).to.have.length(7)
    }
  }).timeout(60_000)
})
