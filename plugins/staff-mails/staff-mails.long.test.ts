import { expect } from 'chai'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { adapter } from '../../demo/adapter/adapter.ts'
import type { Crm } from '../../src/crm/crm.ts'
import { workspaces } from '../../src/crm/workspaces.ts'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { migrate } from '../../src/index.ts'
import { outbox } from '../../src/mail/outbox.ts'
import { pluginHosts } from '../../src/options.ts'
import { readClock } from '../../src/platform/clock.ts'
import { unsealOrUndefined } from '../../src/platform/crypto.ts'
import { jobs } from '../../src/platform/jobs.ts'
import { sections } from '../../src/plugin/discover.ts'
import { capabilitiesOf } from '../../src/plugin/host.ts'
import { pluginQueue } from '../../src/plugin/jobs.ts'
import { section } from '../../src/plugin/plugin.ts'
import { registered } from '../../src/plugin/registry.ts'
import { type Copy, close, fresh, secret, setClock } from '../../test/database.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { sendDigests } from './digest.ts'
import { tellFailures } from './failures.ts'
import { tellEntry, tellOutcome, tellWaiting } from './tell.ts'

const settings = '/settings/client-portal'
const page = `${settings}/staff-mails`
const number = 'P-2026-031'
const office = 'office@brightside.example'
const marta = whoIs('admin').email
const place = { id: '1', slug: 'brightside' }
const hostile = 'Eve\r\nBcc: all@else.where\r\n\r\n<script>alert(1)</script>'
const all = { accepted: 'now', declined: 'now', questions: 'now', countersignatures: 'now', failures: 'now' }

describe('mails to staff', () => {
  afterEach(leave)

  describe('of what a client does', () => {
    it('tell an acceptance to who looks after it: the document, the total, who signed, its page', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { accepted: 'now', owner: 'on', addresses: office })
      const owner = await scene.visit('owner')
      const id = await idOf(owner)
      await accept(owner, id)

      const mail = await scene.mailTo(marta, 'Acme Bakery accepted P-2026-031')
      expect(mail.text).to.include('Hello Marta,\n\nNadia El-Khoury of Acme Bakery accepted “Winter campaign and shop')
      expect(mail.text).to.include(
        [
          ...['Document: P-2026-031 (version 2)', 'Client: Acme Bakery', 'Total: €16,736.72', 'Order number: AB-77'],
          'Preferred delivery date: 5 Dec 2026',
        ].join('\n'),
      )
      expect(mail.text).to.include(`Open it:\nhttps://crm.example/proposals/${id}\n`)
      expect(mail.text).to.include('You get this because Brightside Agency mails its staff')
      expect(mail.html).to.include(`href="https://crm.example/proposals/${id}"`)
      await jobsDone(scene.owner, 'plugins')
      expect(scene.mails.filter(it => it.to === office)).to.be.empty
    })

    it('tell a rejection with its reason, in the language that was chosen', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { declined: 'now', addresses: office, language: 'es' })
      const owner = await scene.visit('owner')
      const id = await idOf(owner)
      await decline(owner, id, 'Too much\nfor this year.')

      const mail = await scene.mailTo(office)
      expect(mail.subject).to.equal('Acme Bakery ha rechazado P-2026-031')
      expect(mail.text).to.include('Motivo:\n> Too much\n> for this year.')
      expect(mail.text).to.include('Total: 16.736,72 €')
    })

    it('tell a question in the asker’s own words, with the line and where to answer', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { questions: 'now', owner: 'on' })
      const member = await scene.visit('member')
      const id = await idOf(member)
      const { title } = await scene.owner('proposal_lines').where({ proposal_id: id }).orderBy('position').first()
      await member.post(`/proposals/${id}/comments`, { text: 'Is travel in the price?\nAnd lunch?', line: title })

      const mail = await scene.mailTo(marta)
      expect(mail.subject).to.equal('Youssef Amrani asks about P-2026-031')
      expect(mail.text).to.include('> Is travel in the price?\n> And lunch?')
      expect(mail.text).to.include(`Line: ${title}\nClient: Acme Bakery`)
      expect(mail.text).to.include('Answer it here: https://crm.example/settings/client-portal/questions')
    })

    it('go to the account manager, else to addresses and admins, or to all of them', async () => {
      const copy = await fresh()
      const entry = await questionOn(copy)
      const known = adapter(copy.database)
      // What an adapter says may be anything: who has no address is left out, and each is told once.
      const admins = async () => [
        { name: 'Ada', email: 'Ada@brightside.example' },
        { name: 'Marta Lindqvist', email: marta },
        { name: 'Marta once more', email: marta },
        { name: 'Nobody', email: 'nobody\r\nBcc: x@y.example' },
      ]
      const crm = { ...known, directory: { ...known.directory, admins } }
      const told = async (rules: object) => {
        await copy.owner('portal.client_staff_mails').del()
        await copy.owner('portal.client_outbox').del()
        await rule(copy, { questions: 'now', ...rules })
        await tellEntry(place, entry, await partsOn(copy, { crm }))
        return (await mailsOf(copy)).map(it => it.recipient)
      }
      const [proposal, client] = await Promise.all([
        copy.owner('proposals').where({ ref_no: number, workspace_id: 1 }).first(),
        acme(copy),
      ])
      const jonas = await copy
        .owner('staff')
        .where({ email: whoIs('colleague').email })
        .first()
      await copy.owner('clients').where({ id: client }).update({ account_manager: jonas.id })

      expect(await told({ owner: true, addresses: [office] })).to.deep.equal([marta])
      expect(await told({ owner: true, addresses: [office, marta], also: true })).to.deep.equal([marta, office])
      await copy.owner('proposals').where({ id: proposal.id }).update({ owner_id: null })
      expect(await told({ owner: true, addresses: [office] })).to.deep.equal([jonas.email])
      await copy.owner('clients').where({ id: client }).update({ account_manager: null })
      expect(await told({ owner: true, addresses: [office] })).to.deep.equal([office])
      expect(await told({ admins: true })).to.deep.equal(['ada@brightside.example', marta])
      // Those of a portal that stands alone.
      const cleo = { email: 'cleo@brightside.example', name: 'Cleo', password_hash: '', admin: true }
      for (const its of [cleo, { ...cleo, email: 'bo@brightside.example', admin: false }])
        await copy.owner('portal.client_staff').insert({ workspace_id: '1', id: uuid(), ...its })
      expect(await told({ admins: true }))

        .to.include(cleo.email)
        .and.not.include('bo@brightside.example')
      expect(await told({ owner: true })).to.deep.equal([])
      await close(copy)
    })

    it('lead to the settings where the adapter does not say where a document lives', async () => {
      const copy = await fresh()
      const entry = await questionOn(copy)
      await rule(copy, { questions: 'now', addresses: [office] })
      for (const [pages, address] of [
        [undefined, `https://crm.example${settings}/questions`],
        [{ proposals: 'https://other.example/p/{id}' }, /^https:\/\/other\.example\/p\/\d+$/],
        [() => 'javascript:alert(1)', `https://crm.example${settings}/questions`],
      ] as const) {
        await copy.owner('portal.client_staff_mails').del()
        await copy.owner('portal.client_outbox').del()
        await tellEntry(place, entry, await partsOn(copy, { crm: { ...adapter(copy.database), pages } }))
        const [mail] = await mailsOf(copy)
        const [, link = ''] = /Open it:\n(.*)\n/.exec(mail!.text) ?? []
        if (typeof address === 'string') expect(link).to.equal(address)
        else expect(link).to.match(address)
      }
      await close(copy)
    })

    it('say nothing of what staff do, nor of what clients only look at', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { ...all, addresses: office })
      const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
      const id = await idOf(owner)
      await owner.get(`/proposals/${id}`)
      await owner.post(`/proposals/${id}/comments`, { text: 'Earlier?' })
      await scene.mailTo(office, 'Nadia El-Khoury asks about P-2026-031')
      const [, of] = /questions\/([\w-]+)\/reply/.exec((await admin.at(`${settings}/questions`)).text) ?? []
      await admin.postAt(`${settings}/questions/${of}/reply`, { text: 'Yes.' })
      await scene.mailTo(whoIs('owner').email)
      await jobsDone(scene.owner, 'plugins')
      expect(scene.mails.filter(it => it.to === office)).to.have.length(1)
      const reply = await scene.owner('portal.client_activity_logs').where({ event: 'proposals.replied' }).first('id')
      await tellEntry(place, reply.id, await partsOn(scene))
      expect(await mailsOf(scene)).to.have.length(1)
    })

    it('come of what was done by a public link, and of nobody else', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'now', addresses: [office] })
      const parts = await partsOn(copy)
      for (const actor of ['staff', 'system', 'nobody'])
        await tellEntry(place, await questionOn(copy, { actor }), parts)
      expect(await mailsOf(copy)).to.be.empty
      await tellEntry(place, await questionOn(copy, { actor: 'link' }), parts)
      expect(await mailsOf(copy)).to.have.length(1)
      for (const id of ['0', '99999999999']) await tellEntry(place, id, parts)
      expect(await mailsOf(copy)).to.have.length(1)
      await close(copy)
    })

    it('hold names and questions that want to be headers, HTML or links as what they are', async () => {
      const copy = await fresh()
      await rule(copy, { ...all, addresses: [office], questions: 'now' })
      const entry = await questionOn(copy, { name: hostile, client: hostile, text: hostile, number: hostile })
      await tellEntry(place, entry, await partsOn(copy))
      const [mail] = await mailsOf(copy)
      expect(mail!.subject).to.not.match(/[\r\n]/)
      expect(mail!.subject).to.include('Bcc: all@else.where')
      expect(mail!.html).to.not.include('<script>')
      await rule(copy, { questions: 'daily', addresses: [office] })
      const two = await questionOn(copy, {
        name: 'https://evil.example',
        client: 'x\n\ny\nhttps://evil.example',
        text: 'x',
      })
      await tellEntry(place, two, await partsOn(copy))
      await digestAt(copy, '2026-11-22T08:00:00Z')
      const digest = (await mailsOf(copy)).find(it => it.kind === 'staff-mails.digest')
      expect(digest!.html).to.not.match(/href="https:\/\/evil/)
      expect(digest!.html).to.match(/href="https:\/\/crm\.example\/proposals\/\d+"/)
      await close(copy)
    })
  })

  describe('once', () => {
    it('for an event, however many processes do it and however often', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'now', addresses: [office], owner: true, also: true })
      const entry = await questionOn(copy)
      const parts = await partsOn(copy)
      await Promise.all([1, 2, 3, 4].map(() => tellEntry(place, entry, parts)))
      await tellEntry(place, entry, parts)
      // Also where somebody else looks after it by now.
      await copy.owner('proposals').where({ ref_no: number, workspace_id: 1 }).update({ owner_id: null })
      await tellEntry(place, entry, parts)
      expect((await mailsOf(copy)).map(it => it.recipient)).to.deep.equal([marta, office])
      await close(copy)
    })

    it('where a process dies in the middle: nothing of it is left, and the next one does it', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'now', addresses: [office, 'two@brightside.example'] })
      const entry = await questionOn(copy)
      const parts = await partsOn(copy)
      let posted = 0
      const post: typeof parts.mailContext.outbox.post = async (tx, mail) => {
        if (++posted === 2) throw new Error('killed')
        return parts.mailContext.outbox.post(tx, mail)
      }
      const dying = { ...parts, mailContext: { ...parts.mailContext, outbox: { ...parts.mailContext.outbox, post } } }
      expect(await tellEntry(place, entry, dying).catch(String)).to.include('killed')
      expect(await mailsOf(copy)).to.be.empty
      expect(await copy.owner('portal.client_staff_mails')).to.be.empty
      await tellEntry(place, entry, parts)
      expect(await mailsOf(copy)).to.have.length(2)
      await close(copy)
    })

    it('and only if the action is: its job is in the same transaction', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { questions: 'now', addresses: office })
      const owner = await scene.visit('owner')
      const id = await idOf(owner)
      // It fails as late as can be: when it commits.
      await scene.owner.raw(`
        create function portal.fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
        create constraint trigger fails after insert on portal.client_comments deferrable initially deferred
          for each row execute function portal.fail()`)
      expect((await owner.post(`/proposals/${id}/comments`, { text: 'Earlier?' })).status).to.equal(500)
      const queued = await scene
        .owner('portal_jobs.job')
        .where({ name: 'plugins' })
        .whereRaw(`data->>'job' like 'staff-mails.tell'`)
      expect(queued).to.be.empty
    })
  })

  describe('before anybody has chosen', () => {
    it('go to who looks after the document', async () => {
      const scene = await open({ mail: 'kept' })
      const [owner, member] = [await scene.visit('owner'), await scene.visit('member')]
      const id = await idOf(owner)
      await member.post(`/proposals/${id}/comments`, { text: 'Is travel in the price?' })
      await scene.mailTo(marta, 'Youssef Amrani asks about P-2026-031')
      await accept(owner, id)
      const mail = await scene.mailTo(marta, 'Acme Bakery accepted P-2026-031')
      expect(mail.text).to.not.include('being submitted')
      expect(await mailsOf(scene)).to.have.length(2)
      expect(await scene.owner('portal.client_staff_mail_rules')).to.be.empty
    })

    it('go to the admins, in the daily summary, where nobody looks after it', async () => {
      const copy = await fresh()
      await copy.owner('proposals').where({ ref_no: number, workspace_id: 1 }).update({ owner_id: null })
      await copy
        .owner('clients')
        .where({ id: await acme(copy) })
        .update({ account_manager: null })
      const { directory } = adapter(copy.database)
      const admins = async () => [{ name: 'Marta Lindqvist', email: marta }]
      const crm = { ...adapter(copy.database), directory: { ...directory, admins } }
      await tellEntry(place, await questionOn(copy), await partsOn(copy, { crm }))
      expect(await mailsOf(copy)).to.be.empty
      await digestAt(copy, '2026-11-22T07:30:00Z')
      const mails = await mailsOf(copy, true)
      expect(mails.map(it => [it.kind, it.recipient])).to.deep.equal([['staff-mails.digest', marta]])
      expect(mails[0]!.text).to.include('Nadia El-Khoury asks about P-2026-031')
      await close(copy)
    })

    it('go to nobody where the CRM names nobody', async () => {
      const copy = await fresh()
      const { owner, admins, ...directory } = adapter(copy.database).directory
      const crm = { ...adapter(copy.database), directory }
      await tellEntry(place, await questionOn(copy), await partsOn(copy, { crm }))
      expect(await mailsOf(copy)).to.be.empty
      await close(copy)
    })
  })

  describe('of a response that is on its way to the CRM', () => {
    it('say so, and say it where the CRM rejects it later', async () => {
      const copy = await fresh()
      const { entry, signature } = await acceptedOn(copy)
      const state = (it: string) =>
        copy.owner('portal.client_signatures').where({ id: signature }).update({ state: it })
      await copy.owner.raw('alter table portal.client_signatures disable trigger user')
      const parts = await partsOn(copy)
      await state('submitting')
      await tellEntry(place, entry, parts)
      const [first, ...others] = await mailsOf(copy, true)
      expect(others).to.be.empty
      expect(first!.text).to.include('It is being submitted to the CRM.')
      const waiting = () =>
        copy.owner('portal_jobs.job').whereRaw(`data ->> 'job' = 'staff-mails.outcome'`).where({ state: 'created' })
      expect(await waiting()).to.have.length(1)

      await copy.owner('portal_jobs.job').del()
      await tellOutcome(place, entry, parts)
      expect(await waiting()).to.have.length(1)
      expect(await mailsOf(copy)).to.have.length(1)
      await state('refused')
      for (const _ of [1, 2]) await tellOutcome(place, entry, parts)
      const mails = await mailsOf(copy, true)
      expect(mails.map(it => it.subject)).to.deep.equal([
        'Acme Bakery accepted P-2026-031',
        'Rejected by the CRM: the response of Acme Bakery to P-2026-031',
      ])
      expect(mails[1]!.text).to.include('Nothing was accepted.').and.include('/responses?show=refused')
      await close(copy)
    })

    it('say only that it was rejected, where that was faster; and nothing more where it arrives', async () => {
      for (const [state, subjects] of [
        ['refused', ['Rejected by the CRM: the response of Acme Bakery to P-2026-031']],
        ['confirmed', ['Acme Bakery accepted P-2026-031']],
      ] as const) {
        const copy = await fresh()
        const { entry, signature } = await acceptedOn(copy)
        await copy.owner.raw('alter table portal.client_signatures disable trigger user')
        await copy.owner('portal.client_signatures').where({ id: signature }).update({ state })
        const parts = await partsOn(copy)
        await tellEntry(place, entry, parts)
        await tellOutcome(place, entry, parts)
        expect((await mailsOf(copy)).map(it => it.subject)).to.deep.equal(subjects)
        await close(copy)
      }
    })
  })

  describe('only of what is to be told', () => {
    it('nobody, where everything is off; and nothing of before, when somebody chooses', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, {})
      const owner = await scene.visit('owner')
      const id = await idOf(owner)
      await owner.post(`/proposals/${id}/comments`, { text: 'Before.' })
      await jobsDone(scene.owner, 'plugins')
      const before = await scene
        .owner('portal.client_activity_logs')
        .where({ event: 'proposals.commented' })
        .first('id')
      await scene.pass(1)
      await choose(scene, { ...all, addresses: office })
      await tellEntry(place, before.id, await partsOn(scene))
      expect(await mailsOf(scene)).to.be.empty
      await owner.post(`/proposals/${id}/comments`, { text: 'After.' })
      expect((await scene.mailTo(office)).text).to.include('> After.')
      // What is switched off and on again begins anew; what stays on goes on.
      await scene.pass(1)
      await choose(scene, { accepted: 'now', questions: 'daily', addresses: office })
      const rules = await scene.owner('portal.client_staff_mail_rules').first()
      expect(rules.kinds.accepted.since).to.equal(rules.kinds.questions.since)
      expect(rules.kinds.declined).to.deep.equal({ mode: 'off', since: null })
      await scene.pass(1)
      await choose(scene, { accepted: 'now', declined: 'now', addresses: office })
      const { kinds } = await scene.owner('portal.client_staff_mail_rules').first()
      expect(kinds.declined.since > kinds.accepted.since).to.equal(true)
    })

    it('nothing while the portal is off; what happened before that is told when it is on again', async () => {
      let isOn = true
      const flags = { enabledAnywhere: () => isOn, enabled: () => isOn }
      const scene = await open({ mail: 'kept', flags })
      await choose(scene, { questions: 'now', addresses: office })
      const entry = await queuedQuestion(scene)
      isOn = false
      await jobsDone(scene.owner, 'plugins')
      expect(scene.mails.filter(it => it.to === office)).to.be.empty
      const jobs = () => scene.owner('portal_jobs.job').where({ name: 'plugins', state: 'created' })
      const waiting = await jobs().whereRaw(`data->'data'->>'entry' = ?`, [entry])
      expect(waiting, 'waits').to.have.length(1)

      isOn = true
      await jobs().update({ start_after: scene.owner.raw('now()') })
      const owner = await scene.visit('owner')
      await owner.post(`/proposals/${await idOf(owner)}/comments`, { text: 'On again.' })
      const texts = await until(() => {
        const mails = scene.mails.filter(it => it.to === office)
        return mails.length === 2 && mails.map(it => it.text).join()
      })
      expect(texts).to.include('> Waits.').and.include('> On again.')
    })

    it('nothing of another workspace', async () => {
      const copy = await fresh()
      const entry = await questionOn(copy)
      await rule(copy, { questions: 'now', addresses: ['else@ledgerline.example'] }, '2')
      const other = await copy.owner('workspaces').where({ id: 2 }).first()
      await tellEntry({ id: '2', slug: other.slug }, entry, await partsOn(copy))
      expect(await mailsOf(copy)).to.be.empty
      await close(copy)
    })

    it('by the addresses alone, an hour after a CRM that should name somebody does not answer', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'now', addresses: [office], owner: true })
      const entry = await questionOn(copy)
      const crm = adapter(copy.database)
      const owner = () => Promise.reject(new CrmUnavailable())
      const away = { ...crm, directory: { ...crm.directory, owner } }
      const parts = await partsOn(copy, { crm: away })
      expect(await tellEntry(place, entry, parts).catch(it => it)).to.be.instanceOf(CrmUnavailable)
      expect(await mailsOf(copy)).to.be.empty
      await setClock(copy.owner, '2026-11-21T10:00:00Z')
      await tellEntry(place, entry, await partsOn(copy, { crm: away }))
      expect((await mailsOf(copy)).map(it => it.recipient)).to.deep.equal([office])
      await close(copy)
    })
  })

  describe('once a day', () => {
    it('list what happened, with links, at the hour of the workspace, to each once', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'daily', addresses: [office, 'two@brightside.example'], hour: 10 })
      for (const text of ['One.', 'Two.']) await tellEntry(place, await questionOn(copy, { text }), await partsOn(copy))
      expect(await mailsOf(copy)).to.be.empty
      // Ten o’clock in Amsterdam.
      await digestAt(copy, '2026-11-21T08:59:00Z')
      expect(await mailsOf(copy)).to.be.empty
      await digestAt(copy, '2026-11-21T09:00:00Z')
      await digestAt(copy, '2026-11-21T09:15:00Z')
      const mails = await mailsOf(copy)
      expect(mails.map(it => it.recipient)).to.deep.equal([office, 'two@brightside.example'])
      const { subject, text } = mails[0]!
      expect(subject).to.equal('2 updates from your clients')
      expect(text).to.match(
        /Nadia El-Khoury asks about P-2026-031\nAcme Bakery · One\.\nhttps:\/\/crm\.example\/proposals\/\d+\n\nNadia/,
      )
      // Later on that day: told on the next; and on a day without news nobody is mailed.
      await tellEntry(place, await questionOn(copy, { text: 'Three.' }), await partsOn(copy))
      await digestAt(copy, '2026-11-21T20:00:00Z')
      expect(await mailsOf(copy)).to.have.length(2)
      await digestAt(copy, '2026-11-22T09:00:00Z')
      expect(await mailsOf(copy)).to.have.length(4)
      for (const at of ['2026-11-22T15:00:00Z', '2026-11-23T09:00:00Z']) await digestAt(copy, at)
      expect(await mailsOf(copy)).to.have.length(4)
      await close(copy)
    })

    it('list fifty, and count the others', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'daily', addresses: [office] })
      const entry = await questionOn(copy)
      await copy.owner.raw(
        `with made as (
           insert into portal.client_activity_logs
             (workspace_id, at, event, actor_kind, actor_name, client_id, subject_id, subject)
           select workspace_id, at, event, actor_kind, actor_name, client_id, subject_id, subject
           from portal.client_activity_logs, generate_series(1, 60) where id = ? returning id, workspace_id, at)
         insert into portal.client_staff_mails (workspace_id, about, email, name, at, waiting)
         select workspace_id, 'entry:' || id, ?, '', at, true from made`,
        [entry, office],
      )
      await digestAt(copy, '2026-11-22T08:00:00Z')
      const [mail] = await mailsOf(copy)
      expect(mail!.subject).to.equal('60 updates from your clients')
      expect(mail!.text.match(/asks about/g)).to.have.length(50)
      expect(mail!.text).to.include('\nAnd 10 more\n')
      expect(await copy.owner('portal.client_staff_mails').where({ waiting: true })).to.be.empty
      await close(copy)
    })

    it('are sent once, however many processes do it at once, and after a death in the middle', async () => {
      const copy = await fresh()
      await rule(copy, { questions: 'daily', addresses: [office, 'two@brightside.example'] })
      await tellEntry(place, await questionOn(copy), await partsOn(copy))
      await setClock(copy.owner, '2026-11-22T08:00:00Z')
      const parts = await partsOn(copy)
      const post = async () => {
        throw new Error('killed')
      }
      const dying = { ...parts, mailContext: { ...parts.mailContext, outbox: { ...parts.mailContext.outbox, post } } }
      await sendDigests(place, dying)
      expect(await copy.owner('portal.client_staff_digests')).to.be.empty
      await Promise.all([1, 2, 3].map(() => sendDigests(place, parts)))
      expect(await mailsOf(copy)).to.have.length(2)
      await close(copy)
    })

    it('come once on each day on which clocks change, at hours that are there twice or not at all', async () => {
      for (const [hour, from, days] of [
        [2, '2027-03-26T12:00:00Z', ['2027-03-27', '2027-03-28', '2027-03-29']],
        [2, '2027-10-29T12:00:00Z', ['2027-10-30', '2027-10-31', '2027-11-01']],
        [0, '2027-10-29T12:00:00Z', ['2027-10-30', '2027-10-31', '2027-11-01']],
      ] as const) {
        const copy = await fresh()
        await setClock(copy.owner, from)
        await rule(copy, { questions: 'daily', addresses: [office], hour })
        const sent: string[] = []
        for (let at = Date.parse(from); sent.length < 3 && at < Date.parse(from) + 4 * 86_400_000; at += 1_800_000) {
          await setClock(copy.owner, new Date(at))
          const parts = await partsOn(copy)
          if (at % 43_200_000 === 0) await tellEntry(place, await questionOn(copy), parts)
          const before = (await copy.owner('portal.client_staff_digests')).length
          await sendDigests(place, parts)
          if ((await copy.owner('portal.client_staff_digests')).length > before) sent.push(new Date(at).toISOString())
        }
        const rows = await copy.owner.raw('select day::text from portal.client_staff_digests order by day')
        expect(rows.rows.map((it: { day: string }) => it.day)).to.deep.equal(days)
        expect(await mailsOf(copy)).to.have.length(3)
        await close(copy)
      }
    })
  })

  describe('of acceptances that nobody countersigns', () => {
    it('come a day later, and not where somebody has', async () => {
      const scene = await open({ mail: 'kept' })
      await choose(scene, { countersignatures: 'now', addresses: office })
      const [owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
      const id = await idOf(owner)
      await accept(owner, id)
      await jobsDone(scene.owner, 'plugins')
      const [waiting] = await scene.owner('portal_jobs.job').whereRaw(`data->>'job' = 'staff-mails.countersign'`)
      expect((waiting.start_after - waiting.created_on) / 3_600_000).to.be.closeTo(24, 0.1)
      const { entry } = waiting.data.data
      await tellWaiting(place, entry, await partsOn(scene))
      await tellWaiting(place, entry, await partsOn(scene))
      const told = (await mailsOf(scene)).filter(it => it.recipient === office)
      expect(told.map(it => it.subject)).to.deep.equal(['Waiting for your countersignature: P-2026-031'])
      expect(told[0]!.text).to.include(`Countersign:\nhttps://crm.example${settings}/responses\n`)

      const { id: signature } = await scene.owner('portal.client_signatures').first('id')
      await admin.postAt(`${settings}/responses/${signature}/countersignature`)
      await scene.owner('portal.client_staff_mails').del()
      await tellWaiting(place, entry, await partsOn(scene))
      expect((await mailsOf(scene)).filter(it => it.recipient === office)).to.have.length(1)
    })
  })

  describe('of e-mails that failed', () => {
    it('come in one, once, and not of themselves', async () => {
      const copy = await fresh()
      await rule(copy, { failures: 'now', addresses: [office] })
      const failed = (more: object = {}) =>
        copy.owner('portal.client_outbox').insert({
          ...{ workspace_id: '1', id: uuid(), kind: 'reset', recipient: 'nadia@acmebakery.example', subject: 'Choose' },
          ...{ failed_at: copy.owner.raw('portal.now()'), error: '550 no such user', ...more },
        })
      await failed({ failed_at: '2026-11-20T08:00:00Z' })
      await failed({ workspace_id: '2' })
      await failed({ kind: 'staff-mails.failures' })
      const parts = await partsOn(copy)
      await tellFailures(place, parts)
      expect(await mailsOf(copy, true)).to.be.empty
      for (let n = 0; n < 25; n++) await failed()
      await Promise.all([tellFailures(place, parts), tellFailures(place, parts)])
      await tellFailures(place, parts)
      const [mail, ...others] = await mailsOf(copy, true)
      expect(others).to.be.empty
      expect(mail!.subject).to.equal('25 e-mails could not be sent')
      expect(mail!.text).to.include('> nadia@acmebakery.example: Choose\n').and.include('> and 5 more')
      expect(mail!.text).to.include(`https://crm.example${settings}/mail?show=failed`)
      await close(copy)
    })
  })

  describe('in the settings', () => {
    it('are on at first for what clients say, and chosen by admins alone', async () => {
      const scene = await open({ mail: 'kept' })
      const [admin, colleague] = await Promise.all([scene.visit('admin'), scene.visit('colleague')])
      const shown = await admin.at(page)
      expect(shown).to.show('Staff mails', 'Waiting for a countersignature', 'value="0"', 'Europe/Amsterdam')
      expect(shown.text.match(/<option value="now" selected>/g)).to.have.length(5)
      expect(shown.text.match(/<option value="off" selected>/g)).to.have.length(2)
      expect(shown).to.show('Nobody has changed this yet.', 'to administrators once a day where nobody does')
      for (const answer of [await colleague.at(page), await colleague.postAt(page, { 'was.revision': 0 })])
        expect(answer.status).to.equal(403)
      expect((await (await scene.visit()).at(page)).headers.location).to.equal('/login')
      // A form without the fields of ours means nothing.
      expect((await admin.postAt(page, {})).status).to.equal(303)
      expect(await scene.owner('portal.client_staff_mail_rules')).to.be.empty
    })

    it('refuse what is no address, too many, and nobody; and keep what was typed', async () => {
      const scene = await open({ mail: 'kept' })
      const admin = await scene.visit('admin')
      const form = { 'was.revision': 0, accepted: 'now', hour: '8', language: 'en' }
      const many = Array.from({ length: 21 }, (_, n) => `who${n}@brightside.example`).join('\n')
      for (const [more, sentence] of [
        [{ addresses: 'nobody' }, 'One of these is not a valid e-mail address.'],
        [{ addresses: '"a\r\nBcc: b"@c.example' }, 'One of these is not a valid e-mail address.'],
        [{ addresses: many }, 'Enter at most 20 addresses.'],
        [{ addresses: '' }, 'Choose who is e-mailed.'],
        [{ owner: 'on', failures: 'now' }, 'Failed e-mails belong to no document.'],
        [{ addresses: office, hour: '24' }, 'Choose one of these.'],
        [{ addresses: office, accepted: 'hourly' }, 'Choose one of these.'],
        [{ addresses: office, language: 'tlh' }, 'Choose one of these.'],
      ] as const) {
        const answer = await admin.postAt(page, { ...form, ...more })
        expect(answer.status, sentence).to.equal(422)
        expect(answer).to.show(sentence)
        if ('addresses' in more && more.addresses === 'nobody') expect(answer).to.show('>nobody</textarea>')
      }
      expect(await scene.owner('portal.client_staff_mail_rules')).to.be.empty
    })

    it('are saved by one of two who save at once, and recorded with before and after', async () => {
      const scene = await open({ mail: 'kept' })
      const admin = await scene.visit('admin')
      const form = { accepted: 'now', addresses: `${office}, TWO@brightside.example`, hour: '17', language: 'es' }
      for (const revision of [0, 1]) {
        const answers = await Promise.all(
          ['now', 'daily'].map(declined => admin.postAt(page, { ...form, declined, 'was.revision': revision })),
        )
        expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
      }
      expect(await admin.at(page)).to.show(
        'office@brightside.example two@brightside.example',
        '<option value="17" selected',
      )
      const rows = await scene
        .owner('portal.client_activity_logs')
        .where({ event: 'staff-mails.changed' })
        .orderBy('id')
      expect(rows[0].subject.before).to.equal(
        'accepted now, declined now, questions now, messages now, uploads now; owner admins (others daily); 8:00; ',
      )
      expect(rows[0].subject.after).to.match(
        /^accepted now, declined \w+; office@brightside\.example two@\S+; 17:00; es$/,
      )
      expect(await admin.at(`${settings}/activity`)).to.show('changed what staff are e-mailed, and whom')
    })

    it('offer only what the adapter knows', async () => {
      const copy = await fresh()
      const { owner, admins, ...directory } = adapter(copy.database).directory
      const scene = await open({ on: copy, mail: 'kept', crm: { ...adapter(copy.database), directory } })
      const admin = await scene.visit('admin')
      expect(await admin.at(page)).to.not.show('name="owner"', 'name="admins"', 'name="also"')
      const saved = await admin.postAt(page, { 'was.revision': 0, accepted: 'now', owner: 'on', admins: 'on' })
      expect(saved.status).to.equal(422)
      expect(owner ?? admins, 'the adapter knows some').to.be.a('function')
    })
  })

  it('take their migration back and bring it again', async () => {
    const copy = await fresh()
    const { down } = await import('./migrations/001_staff_mails.ts')
    await down(copy.owner)
    await copy.owner('portal.migrations').where({ name: 'staff-mails/001_staff_mails' }).delete()
    expect(await migrate(copy.owner, { role: 'portico_app' })).to.deep.equal(['staff-mails/001_staff_mails'])
    await close(copy)
  })

  it('follow events by jobs of the same plugin alone', () => {
    const odd = section({ name: 'odd', title: 'Odd', icon: 'mail', order: 1, followUps: { accepted: 'odd.none' } })
    expect(() => registered([odd])).to.throw('createPortal: plugin odd: followUps.accepted must be one of its jobs.')
  })
})

async function idOf(visitor: Visitor): Promise<string> {
  return (await visitor.api(`/proposals?search=${number}`)).body.items[0].id
}

async function accept(visitor: Visitor, id: string) {
  const { seen } = (await visitor.api(`/proposals/${id}/acceptance`)).body
  const signed = { how: 'typed', typed: visitor.person?.name, order: 'AB-77', wished: '2026-12-05' }
  expect((await visitor.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', ...signed })).status).to.equal(303)
}

async function decline(visitor: Visitor, id: string, reason: string) {
  const { text } = await visitor.get(`/proposals/${id}/rejection`)
  const [, seen] = /name="seen"\s+value="([^"]*)"/.exec(text) ?? []
  expect((await visitor.post(`/proposals/${id}/rejection`, { seen, reason })).status).to.equal(303)
}

/** As an admin chooses it. */
async function choose(scene: Scene, form: object) {
  const admin = await scene.visit('admin')
  const row = await scene.owner('portal.client_staff_mail_rules').where({ workspace_id: '1' }).first('revision')
  const whole = { 'was.revision': row?.revision ?? 0, hour: '8', language: 'en', ...form }
  expect((await admin.postAt(page, whole)).status).to.equal(303)
}

interface RuleOf {
  owner?: boolean
  admins?: boolean
  also?: boolean
  addresses?: string[]
  hour?: number
}

/** The same, since before the test began. */
async function rule({ owner: database }: Pick<Copy, 'owner'>, it: RuleOf & Record<string, unknown>, workspace = '1') {
  const { owner = false, admins = false, also = false, addresses = [], hour = 8, ...modes } = it
  const [{ now }] = (await database.raw(`select portal.now() - interval '10 minutes' as now`)).rows
  const kinds = Object.fromEntries(Object.entries(modes).map(([kind, mode]) => [kind, { mode, since: now }]))
  const values = { to_owner: owner, to_admins: admins, also, addresses, hour, language: 'en', changed_by: 'a test' }
  const row = { workspace_id: workspace, revision: 1, kinds: JSON.stringify(kinds), ...values }
  const table = database('portal.client_staff_mail_rules')
  await table.insert(row).onConflict('workspace_id').merge()
}

const acme = async ({ owner }: Pick<Copy, 'owner'>) =>
  String((await owner('public.invoices').where({ ref_no: '2026-0107' }).first('client_id')).client_id)

interface Asked {
  actor?: string
  name?: string
  client?: string
  text?: string
  number?: string
}

/** A question of the owner, with its entry in the activity log, whose id is given. */
async function questionOn(copy: Pick<Copy, 'owner'>, asked: Asked = {}, database: Knex = copy.owner): Promise<string> {
  const {
    actor = 'client',
    name = 'Nadia El-Khoury',
    client = 'Acme Bakery',
    text = 'Is travel in the price?',
    number: its = number,
  } = asked
  const { id } = await copy.owner('proposals').where({ ref_no: number, workspace_id: 1 }).first('id')
  const comment = uuid()
  const about = { workspace_id: '1', client_id: await acme(copy) }
  await database('portal.client_comments').insert({
    ...{ ...about, id: comment, client_name: client, section: 'proposals', document_id: String(id), number: its },
    ...{ author_kind: 'client', author_id: uuid(), author_name: name, text, at: copy.owner.raw('portal.now()') },
  })
  const [entry] = await database('portal.client_activity_logs')
    .insert({
      ...{ ...about, event: 'proposals.commented', actor_kind: actor, actor_name: name, subject_id: String(id) },
      ...{ subject: JSON.stringify({ id: String(id), number: its, comment }), at: copy.owner.raw('portal.now()') },
    })
    .returning('id')
  return String(entry.id)
}

/** An acceptance of the owner that nobody has been told of, by the ids of its entry and signature. */
async function acceptedOn(copy: Copy) {
  const scene = await open({ on: copy, mail: undefined })
  const owner = await scene.visit('owner')
  await accept(owner, await idOf(owner))
  await scene.portal.close()
  const entry = await copy.owner('portal.client_activity_logs').where({ event: 'proposals.accepted' }).first()
  await copy.owner('portal_jobs.job').del()
  await copy.owner('portal.client_staff_mails').del()
  await copy.owner('portal.client_outbox').del()
  return { entry: String(entry.id), signature: String(entry.subject.signature) }
}

/** The same, with its job, as an action queues it. */
async function queuedQuestion(copy: Pick<Copy, 'owner' | 'database'>): Promise<string> {
  const entry = await questionOn(copy, { text: 'Waits.' })
  const { jobs: queue } = await partsOn(copy)
  await copy.database.transaction(tx => queue.queue(tx, { job: 'staff-mails.tell', workspace: place, data: { entry } }))
  return entry
}

/** What the plugin's jobs work with, in a process of its own. */
async function partsOn(copy: Pick<Copy, 'database'>, { crm = adapter(copy.database) }: { crm?: Crm } = {}) {
  const { database } = copy
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const queue = jobs({ trusted: async () => true, database, log })
  const activation: any = { isAccepted: async () => true, isComplete: () => true, state: () => undefined }
  const flags = { enabledAnywhere: () => true, enabled: () => true }
  const known = workspaces({ crm, database, log })
  const plugins = registered(sections, pluginHosts)
  const posts = outbox({
    ...{ database, activation, flags, jobs: queue, log, secrets: [secret], transport: undefined, workspaces: known },
  })
  const mailContext = {
    database,
    outbox: posts,
    secrets: [secret],
    address: 'https://crm.example/portal',
    limits: {} as any,
  }
  await readClock(database, log)
  const host: any = { database, log, plugins }
  return {
    ...{ crm, database, activation, log, mailContext, plugins, workspaces: known },
    ...{ capability: capabilitiesOf(plugins, () => host), jobs: pluginQueue(queue, plugins) },
    settingsAddress: `https://crm.example${settings}`,
  }
}

async function digestAt(copy: Copy, at: string) {
  await setClock(copy.owner, at)
  await sendDigests(place, await partsOn(copy))
}

interface Kept {
  kind: string
  recipient: string
  subject: string
  text: string
  html: string
}

/** Mails to staff that were queued, by recipient. */
async function mailsOf({ owner }: Pick<Copy, 'owner'>, isWritten = false): Promise<Kept[]> {
  const rows = await owner('portal.client_outbox')
    .whereLike('kind', 'staff-mails.%')
    .orderBy(['created_at', 'recipient'])
  return rows
    .filter(it => !isWritten || it.sealed)
    .map(it => {
      const mail = it.sealed ? JSON.parse(unsealOrUndefined(it.sealed, [secret], 'mail')!) : {}
      return { ...it, text: mail.text ?? '', html: mail.html ?? '' }
    })
}
