import { expect } from 'chai'
import { mailed, round } from '../../test/reminders.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'

const page = '/settings/client-portal/reminders'
const activity = '/settings/client-portal/activity'

describe('reminders, as they are chosen', () => {
  afterEach(leave)

  it('are set by the workspace, at most three; refuses the second of two concurrent saves', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const save = (days: string[], was = '3 0') => admin.postAt(page, { days, 'was.reminders': was })
    expect(await admin.at(page)).to.show('value="3 0"', '<option value="3" selected>3 days before')
    for (const days of [['1', '2', '3', '4'], ['-1'], ['soon'], ['61'], ['1.5']])
      expect((await save(days)).status, String(days)).to.equal(422)
    expect(await save(['7', '61'])).to.show('Choose from the list.', '<option value="7" selected>')

    const answers = await Promise.all([save(['7', '1', '7']), save([])])
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    await save(['7', '1'], 'none')
    expect(await admin.at(page)).to.show('value="7 1"')
    expect(await admin.at(activity)).to.show('changed when clients are reminded', '7 1 now')
    await round(scene, { at: '2026-11-23T08:00:00Z' })
    expect(await offersOf(scene)).to.have.length(2)
  })

  it('of payments are off until an admin chooses, and recorded as they were and are', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    expect(await admin.at(page)).to.show('Payments', 'name="was.payments" value="none"', 'Before the due date')
    expect((await save(admin, 'none', { before: '3', onDay: 'on', after: ['14', ' 7 ', ''] })).status).to.equal(303)
    expect(await admin.at(page))
      .to.show('value="-3 0 +7 +14"', '<option value="3" selected>3 days before')
      .and.show('name="onDay" value="on" checked', 'value="7"', 'value="14"')
    expect(await admin.at(activity)).to.show(
      'changed when clients are reminded of payments, in days from the due date: never before, -3 0 +7 +14 now',
    )
    expect(await scene.owner('portal.client_portal_settings').where({ name: 'reminders' })).to.have.length(0)
    await save(admin, '-3 0 +7 +14', {})
    expect(await admin.at(page)).to.show('name="was.payments" value="none"')
  })

  it('of payments keep what was typed and refused', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    for (const after of ['0', '61', '-1', '1.5', 'soon', '007', '1e1']) {
      const answer = await save(admin, 'none', { before: '5', onDay: 'on', after: ['3', after, '30'] })
      expect(answer.status, after).to.equal(422)
      expect(answer).to.show('Enter days from 1 to 60.', `value="${after}" aria-invalid="true"`, 'value="30"')
      expect(answer).to.show('<option value="5" selected>', 'name="onDay" value="on" checked')
    }
    const refused: [object, string][] = [
      [{ after: ['1', '2', '3', '4'] }, 'Choose three moments at most.'],
      [{ before: '4' }, 'Choose from the list.'],
      [{ before: ['1', '2'] }, 'Choose from the list.'],
      [{ after: '<script>' }, 'value="&lt;script&gt;"'],
    ]
    for (const [form, sentence] of refused) {
      const answer = await save(admin, 'none', form)
      expect(answer.status, sentence).to.equal(422)
      expect(answer).to.show(sentence)
    }
    expect(await scene.owner('portal.client_portal_settings')).to.have.length(0)
  })

  it('of payments are not chosen twice at once, nor by others than admins', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const answers = await Promise.all([save(admin, 'none', { before: '1' }), save(admin, 'none', { before: '2' })])
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    const form = { 'was.payments': '-1', before: '7' }
    for (const role of ['colleague', 'owner'] as const)
      expect((await (await scene.visit(role)).postAt(page, form)).status, role).to.be.oneOf([302, 303, 403, 404])
    expect(await scene.owner('portal.client_portal_settings').where({ name: 'reminders.payments' })).to.have.length(1)
    expect(await admin.at(page)).to.not.show('<option value="7" selected>7 days before</option>')
  })

  it('promise no mail where none is sent', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    expect(await admin.at(page))
      .to.show('E-mail isn’t set up, so nobody is reminded.')
      .and.not.show('We e-mail')
    expect(await admin.at('/settings/client-portal/visibility')).to.show('Reminders of invoices')
  })
})

const save = (admin: Visitor, was: string, form: object) => admin.postAt(page, { 'was.payments': was, ...form })

/** Of one proposal, to people of the Acme Bakery. */
const offersOf = async (scene: Scene) =>
  (await mailed(scene, ['reminders.expiry'])).filter(it => it.subject.startsWith('P-2026-031'))
