import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { portalUrl } from '../../demo/portal-database.ts'
import { type Copy, close, fresh, password, urlOf } from '../../test/database.ts'
import { pastTriggers } from '../../test/past-triggers.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'
import type { Config } from './config.ts'
import { exportEvidence } from './evidence.ts'
import { destroy } from './rollback.ts'

describe('portico rollback', () => {
  afterEach(leave)

  it('leaves signatures alone that are in no export, and says whose they are and what to do', async () => {
    const scene = await open()
    const config = configOf(scene)
    const [owner, neighbour] = [await scene.visit('owner'), await scene.visit('neighbour')]
    await declineOne(owner)
    expect(await refused(config, {})).to.equal('This removes all that Portico stored. Say --destroy if you mean it.')
    expect(await refused(config)).to.equal(
      'This would destroy a signature with its evidence. In no export: 1 of Brightside Agency. Say ' +
        '`portico export --workspace SLUG --out DIR` for each of these workspaces first, and keep the files; ' +
        'or say --without-evidence as well, if they may go.',
    )
    await exported(config)
    await declineOne(neighbour)
    expect(await refused(config))
      .to.include('destroy 2 signatures')
      .and.include('In no export: 1 of Brightside Agency.')
    expect(await scene.owner('portal.client_signatures')).to.have.length(2)

    await exported(config)
    await sealedNow(scene, `portal.now() + interval '1 second'`)
    expect(await refused(config)).to.include('In no export: 1 of')
    await sealedNow(scene, `portal.now() - interval '1 hour'`)
    await leave()
  })

  it('removes all once they are exported; of one workspace is not of another', async () => {
    const copy = await signed()
    await copy.owner.raw(
      `insert into portal.client_signatures (workspace_id, id, sequence, at, act, section, document_id, version, number, client_id,
         signer, digest, previous, hash, head_key, head_signature)
       select '2', id, sequence, at, act, section, document_id, version, number, client_id, signer, digest, previous, hash, head_key,
         head_signature from portal.client_signatures`,
    )
    const config = configOf(copy)
    expect(await exported(config)).to.have.length(1)
    const log = await copy.owner('portal.client_activity_logs').where({ event: 'evidence.exported' })
    expect(log.map(it => [it.workspace_id, it.actor_kind, it.subject.sequence])).to.deep.equal([['1', 'system', 1]])
    expect(await refused(config))
      .to.include('destroy 2 signatures')
      .and.include('In no export: 1 of 2.')
    await copy.owner('portal.client_signatures').where({ workspace_id: '2' }).del()
    expect(await destroy(config, { destroy: true })).to.match(/^Removed .*005_evidence/)
    expect(await there(copy)).to.equal(null)
    await close(copy)
  })

  it('removes them anyway if told to', async () => {
    const copy = await signed()
    expect(await destroy(configOf(copy), { destroy: true, 'without-evidence': true })).to.match(/^Removed /)
    expect(await there(copy)).to.equal(null)
    await close(copy)
  })

  it('asks nothing if nobody has signed', async () => {
    const copy = await fresh()
    expect(await destroy(configOf(copy), { destroy: true })).to.match(/^Removed /)
    await close(copy)
  })
})

const configOf = ({ name }: Copy): Config => ({
  ownerUrl: urlOf(name),
  url: portalUrl(urlOf(name), password),
  crm: adapter,
  address: 'https://crm.example/portal',
})

const refused = (config: Config, flags: object = { destroy: true }): Promise<string> =>
  destroy(config, flags).then(
    said => `not refused: ${said}`,
    error => error.message,
  )

/** Returns the files that the export wrote. */
async function exported(config: Config): Promise<string[]> {
  const out = mkdtempSync(join(tmpdir(), 'portico-export-'))
  try {
    await exportEvidence(config, { workspace: 'brightside', out })
    return readdirSync(out)
  } finally {
    rmSync(out, { recursive: true })
  }
}

/** A database with one signature in it, and no portal on it. */
async function signed(): Promise<Copy> {
  const copy = await fresh()
  const scene = await open({ on: copy })
  await declineOne(await scene.visit('owner'))
  await scene.portal.close()
  return copy
}

async function declineOne(who: Visitor) {
  const { id } = (await who.api('/proposals?status=open')).body.items[0]
  const { seen } = (await who.api(`/proposals/${id}/rejection`)).body
  const { status } = await who.post(`/proposals/${id}/rejection`, { seen, reason: 'Not now.' })
  expect(status).to.equal(303)
}

const sealedNow = ({ owner }: Scene, at: string) =>
  pastTriggers(owner, tx => tx.raw(`update portal.client_signatures set sealed_at = ${at} where sequence = 1`))

const there = async ({ owner }: Copy) =>
  (await owner.raw(`select to_regclass('portal.client_signatures') as it`)).rows[0].it
