import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import {
  Audited,
  acceptAudit,
  adapterOf,
  type Crm,
  type CrmMap,
  type Customer,
  createPortal,
  grantsOf,
  migrate,
  problemsOf,
  query,
  rollback,
} from '../../src/index.ts'
import { postgres, today, urlOf } from '../../test/database.ts'
import { fingerprint } from '../../test/fingerprint.ts'

/** A database with the fixture of a CRM in it, and its map on a role that has only the grants which the map asks for. */
export function fixture(name: string, map: CrmMap) {
  const known = `crm_${name.replaceAll('-', '_')}`
  const role = `portal_${known}`
  let owner: Knex
  let database: Knex
  let crm: Crm

  before(async () => {
    await postgres.raw(`create database ${known}`)
    owner = knex({ client: 'pg', connection: urlOf(known), pool: { min: 0, max: 4 } })
    await owner.raw(readFileSync(join(import.meta.dirname, name, 'fixture.sql'), 'utf8'))
    await owner.raw(`create role ${role} login password 'only-in-tests'`)
    for (const text of grantsOf(adapterOf(map, owner), role)) await query(owner, { text })
    const url = Object.assign(new URL(urlOf(known)), { username: role, password: 'only-in-tests' })
    database = knex({ client: 'pg', connection: url.href, pool: { min: 0, max: 4 } })
    crm = adapterOf(map, database)
    expect(await problemsOf(map, database)).to.deep.equal([])
  })

  after(() => Promise.all([owner.destroy(), database.destroy()]))

  return {
    crm: () => crm,
    owner: () => owner,
    database: () => database,

    /** Portico comes, looks, notices a change, and goes. */
    async untouched() {
      const before = await fingerprint(owner)
      await migrate(owner, { role })
      await acceptAudit(owner, crm, { audit: Audited.parse({ answers: {}, data: {}, fingerprint: 'f' }), by: 'a test' })
      const flags = { enabledAnywhere: () => true, enabled: () => true }
      const portal = await createPortal({ database, crm, flags, staff: () => undefined, secrets: ['s'.repeat(32)] })
      portal.close()
      await rollback(owner, { role })
      expect(await fingerprint(owner)).to.deep.equal(before)
    },
  }
}

export const customerOf = (workspace: string, client: string): Customer => ({
  workspace: { id: workspace, slug: 'x', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
  client: { id: client, name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today,
})
