import { expect } from 'chai'
import type { Knex } from 'knex'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const page = '/settings/client-portal/staff-mails'
const office = 'office@brightside.example'
const marta = whoIs('admin').email

const upload = async (who: Visitor, ...names: string[]) => {
  const form = who.agent.post('/portal/brightside/documents')
  for (const it of names) form.attach('files', Buffer.from('x'), { filename: it })
  expect((await form).status).to.equal(303)
}

/** Saves these kinds and recipients, and none besides. */
async function choose(scene: Scene, form: object) {
  const admin = await scene.visit('admin')
  const whole = { 'was.revision': 0, hour: '8', language: 'en', ...form }
  expect((await admin.postAt(page, whole)).status).to.equal(303)
}

const waiting = (owner: Knex) =>
  owner('portal_jobs.job').whereRaw(`state = 'created' and data->>'job' = 'staff-mails.uploads'`)

/** Lets uploads be told that wait for others to follow. */
async function fallDue({ owner }: Scene, count: number) {
  await until(async () => (await waiting(owner)).length === count)
  await waiting(owner).update({ start_after: new Date(0) })
  await until(async () => (await waiting(owner)).length === 0)
  await jobsDone(owner, 'plugins')
}

const told = ({ mails }: Scene, to: string) =>
  mails.filter(it => it.to === to && /sent (a file|\d+ files)/.test(it.subject))

describe('mails to staff of uploads', () => {
  afterEach(leave)

  it('tell all that one person sent in a row, once, to who looks after the client', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    await upload(owner, 'Sketch.txt', 'Second.txt')
    await upload(owner, '<b>Logo</b>.txt')
    await upload(approver, 'Other.txt')
    await scene.pass(5)
    await upload(await scene.visit('owner'), 'Later.txt')
    await fallDue(scene, 4)
    await until(() => told(scene, marta).length === 3, 30)
    const mails = told(scene, marta)
    expect(mails.map(it => it.subject).sort()).to.deep.equal([
      'Acme Bakery sent 3 files',
      'Acme Bakery sent a file',
      'Acme Bakery sent a file',
    ])
    const batch = mails.find(it => it.subject.includes('3 files'))!
    expect(batch.text).to.include('Nadia El-Khoury of Acme Bakery uploaded:').and.include('Sketch.txt')
    expect(batch.text).to.include('https://crm.example/settings/client-portal/documents/clients/1')
    expect(batch.html).to.not.include('<b>Logo')
    expect(mails.find(it => it.text.includes('Other.txt'))!.text).to.match(/client-portal\/documents\/[0-9a-f-]{36}/)
  })

  it('come as the workspace has chosen, and of no uploads where it has not', async () => {
    const scene = await open({ mail: 'kept' })
    await choose(scene, { questions: 'now', addresses: office })
    expect(await (await scene.visit('admin')).at(page)).to.show('Files from clients')
    await upload(await scene.visit('owner'), 'a.txt')
    await fallDue(scene, 1)
    expect(scene.mails.filter(it => it.to === office)).to.be.empty
    const rows = await scene.owner('portal.client_staff_mails')
    expect(rows).to.be.empty
  })

  it('are not offered where files cannot be uploaded', async () => {
    const scene = await open({ mail: 'kept', files: undefined })
    expect(await (await scene.visit('admin')).at(page)).to.not.show('Files from clients')
  })
})
