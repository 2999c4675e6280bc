import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { pastTriggers } from '../../test/past-triggers.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'
import { faults } from '../evidence/chain.ts'
import { sent } from '../platform/database.ts'
import { root } from '../platform/root.ts'

const settings = '/settings/client-portal'

describe('signing, in the settings', () => {
  afterEach(leave)

  it('says how clients sign and what they agree to, from the next page on, and who changed it', async () => {
    const { visit, owner: database } = await open()
    const [admin, owner] = await Promise.all([visit('admin'), visit('owner')])
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const was = await wasOf(admin)
    expect(
      (await admin.at(`${settings}/signing`)).text.replace(/\s+/g, ' ').match(/name="methods" value="\w+" checked/g),
    ).to.deep.equal(['name="methods" value="drawn" checked', 'name="methods" value="typed" checked'])

    const saved = await admin.postAt(`${settings}/signing`, {
      'was.signing': was,
      methods: 'ticked',
      consent: 'We take {document} for {total}. {client} pays.',
      next: 'We call you.',
      copies: '',
    })
    expect(saved.headers.location).to.equal(`${settings}/signing?saved`)
    expect(await owner.get(`/proposals/${id}/acceptance`))
      .to.show('We take Proposal P-2026-031 for €16,736.72. Acme Bakery pays.', 'name="how" value="ticked"')
      .and.not.show('id="pad"', 'id="typed"')
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    expect(
      (await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' }))
        .status,
    ).to.equal(422)
    expect((await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on' })).status).to.equal(303)
    const [row] = await database('portal.client_signatures').select('evidence')
    expect(JSON.parse(row.evidence).consent.text).to.equal(
      'We take Proposal P-2026-031 for €16,736.72. Acme Bakery pays.',
    )
    const [{ subject }] = await database('portal.client_activity_logs').where({ event: 'settings.signing' })
    expect(JSON.parse(subject.after).methods).to.deep.equal(['ticked'])
  })

  it('refuses what would leave no way, unknown gaps and wrong addresses, and keeps what was typed', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    const form = { 'was.signing': await wasOf(admin), methods: ['drawn', 'typed'] }
    for (const [more, sentence] of [
      [{ methods: 'forged' }, 'Keep at least one signature method.'],
      [{ consent: 'For {price} <b>' }, 'can stand in braces'],
      [{ copies: 'nobody' }, 'This is not a valid e-mail address.'],
    ] as const) {
      const answer = await admin.postAt(`${settings}/signing`, { ...form, ...more })
      expect(answer.status, sentence).to.equal(422)
      expect(answer).to.show(sentence, ...('consent' in more ? ['For {price} &lt;b&gt;'] : []))
    }
  })

  it('refuses an outdated form', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    const was = await wasOf(admin)
    const post = (next: string) => admin.postAt(`${settings}/signing`, { 'was.signing': was, methods: 'typed', next })

    expect((await post('One')).status).to.equal(303)
    expect((await post('Two')).status).to.equal(409)
  })

  it('lists the responses of this workspace only, and reports a tampered one on the state page', async () => {
    const { visit, owner: database } = await open()
    const [admin, owner] = await Promise.all([visit('admin'), visit('owner')])
    await accept(owner)
    expect(await admin.at(`${settings}/responses`)).to.show(
      'P-2026-031',
      'Nadia El-Khoury',
      'Acme Bakery',
      'In the CRM',
    )
    expect(await admin.at(`${settings}/responses?show=refused`)).to.show('No responses here')
    expect(await admin.at(`${settings}/responses?before=2`)).to.show('P-2026-031')
    for (const before of ['1', '0', 'x', '1e99'])
      expect((await admin.at(`${settings}/responses?before=${before}`)).status, before).to.equal(200)
    expect(await admin.at(`${settings}/responses?before=1`)).to.show('No responses yet')
    expect(await admin.at(`${settings}/state`)).to.not.show('No. 1:')

    await pastTriggers(database, tx => tx('portal.client_signatures').update({ signer: 'Someone else' }))
    expect(await admin.at(`${settings}/state`)).to.show('No. 1: what is listed is not what the evidence says')
  })

  it('countersigns once, in the chain, which the client and the CRM’s own page of the proposal show', async () => {
    const { visit, owner: database, database: app } = await open()
    const [admin, owner] = await Promise.all([visit('admin'), visit('owner')])
    const id = await accept(owner)
    const [, which] = /responses\/([\w-]+)\/countersignature/.exec((await admin.at(`${settings}/responses`)).text) ?? []
    const answers = await Promise.all([1, 2].map(() => admin.postAt(`${settings}/responses/${which}/countersignature`)))

    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show(
      'Countersigned by',
      'Marta Lindqvist',
      'Accepted and signed',
    )
    expect(await admin.at(`/proposals/${id}`)).to.show(
      'In the client portal',
      'accepted proposal P-2026-031, version 2',
      'countersigned proposal P-2026-031',
    )
    expect(await database('portal.client_signatures').where({ act: 'countersigned' })).to.have.length(1)
    expect(await faults(app, '1')).to.deep.equal([])
  })

  it('says in a countersignature only what staff did, and of the version that it is of', async () => {
    const scene = await open()
    const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
    const id = await accept(owner, { order: 'AB 7' })
    const [, which] = /responses\/([\w-]+)\/countersignature/.exec((await admin.at(`${settings}/responses`)).text) ?? []
    await admin.postAt(`${settings}/responses/${which}/countersignature`)
    const row = await scene.owner('portal.client_signatures').where({ act: 'countersigned' }).first('evidence')
    expect(JSON.parse(row.evidence)).to.deep.include({
      order: { number: null, requestedOn: null },
      seen: { times: 0, first: null, last: null },
      authentication: [],
    })
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show('Countersigned by')
    await scene.owner('proposals').where({ id }).update({ state: 'sent', version: 3, answered_on: null })
    await accept(owner)
    expect(await owner.get(`/proposals/${id}/evidence`)).to.not.show('Countersigned by')
  })

  it('is not to be seen beside the CRM’s papers while the flag is off, and no query of the portal runs', async () => {
    const { portal, visit } = await open({ flags: { enabledAnywhere: () => false, enabled: () => false } })
    const admin = await visit('admin')
    const before = sent.statements
    const which = { workspace: { id: '1', slug: 'brightside' }, client: '1', section: 'proposals', id: '128' }
    expect(await portal.documentActivity(which)).to.deep.equal({ summaries: [], changed: false, html: '' })
    expect(sent.statements).to.equal(before)
    expect(await admin.at('/proposals/128')).to.not.show('portico-beside')
  })

  it('leaves bundles that the command line verifies without a database', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const id = await accept(owner)
    const directory = mkdtempSync(join(tmpdir(), 'portico-'))
    const [good, bad, other] = ['good', 'bad', 'other'].map(it => join(directory, `${it}.json`)) as [
      string,
      string,
      string,
    ]
    const bundle = await until(async () => {
      const { body } = await owner.get(`/proposals/${id}/evidence/bundle`)
      return body.sealed && body
    })
    writeFileSync(good, JSON.stringify(bundle))
    writeFileSync(bad, readFileSync(good, 'utf8').replace('16736.72', '16736.71'))
    writeFileSync(other, JSON.stringify({ ...bundle, sealed: bundle.document }))

    const run = (file: string, ...more: string[]) =>
      promisify(execFile)(process.execPath, [join(root, 'src/cli.ts'), 'verify', file, ...more], {
        env: { PATH: process.env.PATH },
      })
    const { stdout } = await run(good)
    expect(stdout)
      .to.include('accepted P-2026-031')
      .and.include('Into the CRM, when this file was made: confirmed.')
      .and.not.include('✗')
    const [, fingerprint = ''] = /SHA-256 ([0-9a-f]{64})/.exec(stdout) ?? []
    expect((await run(good, '--certificate', fingerprint)).stdout).to.include('✓ the certificate is the one')
    const another = await run(good, '--certificate', 'ab'.repeat(32)).catch(it => it)
    expect(another.code).to.equal(1)
    expect(another.stderr)
      .to.include('This certificate did not sign this file: it was signed with another key')
      .and.include(fingerprint)
      .and.not.include('tampered')
    const swapped = await run(other).catch(it => it)
    expect([swapped.code, /✗/.test(swapped.stderr), /tampered/.test(swapped.stderr)]).to.deep.equal([1, true, true])
    const refused = await run(bad).catch(error => error)
    expect([refused.code, refused.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('✗'),
    )
    expect(await run(join(directory, 'none.json')).catch(error => error.code)).to.equal(1)
  })
})

const wasOf = async (admin: Visitor) =>
  /name="was.signing" value="([^"]+)"/.exec((await admin.at(`${settings}/signing`)).text)?.[1]?.replaceAll('&#34;', '"')

async function accept(owner: Visitor, more: object = {}): Promise<string> {
  const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
  const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
  await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury', ...more })
  return id
}
