import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { connectPortal } from '../../demo/portal-database.ts'
import { fresh, password, postgres, urlOf } from '../../test/database.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, whoIs } from '../../test/visit.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import type { Message } from './transport.ts'

/** A real SMTP server that keeps what it takes; `refuse` says what it answers instead of taking it. */
async function server(refuse: (count: number) => number | undefined = () => undefined) {
  const taken: Email[] = []
  let count = 0
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = []
      stream.on('data', it => chunks.push(it))
      stream.on('end', async () => {
        const code = refuse(++count)
        if (code) return done(Object.assign(new Error(`refused with ${code}`), { responseCode: code }))
        taken.push(await PostalMime.parse(Buffer.concat(chunks)))
        done()
      })
    },
  })
  smtp.on('error', () => undefined)
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  const { port } = smtp.server.address() as AddressInfo
  return {
    taken,
    tries: () => count,
    url: `smtp://127.0.0.1:${port}`,
    end: () => new Promise<void>(done => smtp.close(() => done())),
  }
}

const { email } = whoIs('owner')
const from = 'portal@brightside.example'

describe('mail', function () {
  this.timeout(30_000)
  afterEach(leave)

  it('goes out by SMTP in plain text and HTML, from the workspace, in the reader’s language, marked as automatic', async () => {
    const { taken, url, end } = await server()
    const scene = await open({ mail: { from, url } })
    await scene.owner('portal.client_users').where({ email }).update({ language: 'es' })
    await (await scene.visit()).post('/forgot-password', { email })
    await until(() => taken.length)
    const [mail] = taken

    expect(mail!.subject).to.equal('Elegir una contraseña nueva')
    expect(mail!.from).to.deep.equal({ name: 'Brightside Agency', address: from })
    expect(mail!.to?.[0]?.address).to.equal(email)
    expect(mail!.text).to.include('Hola, Nadia:').and.include('/reset-password/')
    expect(mail!.html).to.include('lang="es"').and.include('/reset-password/')
    const headers = Object.fromEntries(mail!.headers.map(it => [it.key, it.value]))
    expect(headers['auto-submitted']).to.equal('auto-generated')
    expect(headers['message-id']).to.match(/^<[\w-]{36}@brightside\.example>$/)
    await until(async () => (await scene.owner('portal.client_outbox').first('sent_at')).sent_at)
    expect(await scene.owner('portal.client_outbox').first('sealed', 'error', 'attempts')).to.deep.equal({
      sealed: null,
      error: null,
      attempts: 1,
    })
    await end()
  })

  it('brings the workspace’s logo with it as a picture that is part of the mail', async () => {
    const { taken, url, end } = await server()
    const scene = await open({ mail: { from, url } })
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    await scene.owner('portal.client_branding').insert({
      ...{ workspace_id: '1', revision: 1, changed_by: 'a test', logo: png, logo_type: 'image/png' },
      ...{ logo_version: 'x'.repeat(16), logo_width: 1, logo_height: 1 },
    })
    await (await scene.visit()).post('/forgot-password', { email })
    await until(() => taken.length)
    const [{ attachments, html } = {} as Email] = taken
    expect(attachments).to.have.length(1)
    expect(attachments[0]).to.include({ contentId: '<logo@portico>', mimeType: 'image/png', disposition: 'inline' })
    expect(Buffer.from(attachments[0]!.content as ArrayBuffer).equals(png)).to.equal(true)
    expect(html).to.include('src="cid:logo@portico"').and.include('alt="Brightside Agency"')
    await end()
  })

  it('that nobody takes for now is kept and tried again, under the same Message-ID', async () => {
    const { taken, url, end } = await server(count => (count === 1 ? 451 : undefined))
    const scene = await open({ mail: { from, url } })
    await (await scene.visit()).post('/forgot-password', { email })
    const row = () => scene.owner('portal.client_outbox').first('*')
    await until(async () => (await row()).error)
    expect(await row()).to.include({ attempts: 1, sent_at: null, failed_at: null })
    expect((await row()).error).to.include('refused with 451')
    // The queue notes when to try again a moment after that.
    await until(async () => {
      await scene
        .owner('portal_jobs.job')
        .where({ name: 'mail-first', state: 'retry' })
        .update({ start_after: new Date(0) })
      return taken.length
    })

    await until(async () => (await row()).sent_at)
    expect(taken[0]!.messageId).to.equal(`<${(await row()).id}@brightside.example>`)
    await end()
  })

  it('that will never be taken is not tried again, says why, and holds no link any more', async () => {
    const { url, end, tries } = await server(() => 550)
    const scene = await open({ mail: { from, url } })
    await (await scene.visit()).post('/forgot-password', { email })
    const row = () => scene.owner('portal.client_outbox').first('*')
    await until(async () => (await row()).failed_at)

    expect(await row()).to.include({ sealed: null, sent_at: null, attempts: 1 })
    expect((await row()).error).to.include('refused with 550')
    expect(tries()).to.equal(1)
    expect(scene.log.some(it => it.sentence === 'a mail could not be sent')).to.equal(true)
    expect(JSON.stringify(scene.log)).to.not.include('reset-password/')
    const admin = await scene.visit('admin')
    expect(await admin.at('/settings/client-portal/mail?show=failed')).to.show(
      'Failed',
      'Tried once:',
      'refused with 550',
      email,
    )
    expect(await admin.at('/settings/client-portal/mail?show=waiting')).to.show('No e-mail is waiting')
    expect(await (await scene.visit('colleague')).at('/settings/client-portal/mail')).to.include({ status: 403 })
    await end()
  })

  it('is not there where its cause was rolled back', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    await scene.owner.raw(
      `create function portal.refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`,
    )
    await scene.owner.raw(
      'create constraint trigger refuse after insert on portal.client_outbox deferrable initially deferred for each row execute function portal.refuse()',
    )
    expect((await nobody.post('/forgot-password', { email })).status).to.equal(500)

    expect(await scene.owner('portal.client_tokens')).to.be.empty
    expect(await scene.owner('portal_jobs.job').whereLike('name', 'mail%')).to.be.empty
  })

  it('survives the death of its process and is sent once by the next', async () => {
    const { taken, url, end } = await server()
    const scene = await open({ mail: { from, url: 'smtp://127.0.0.1:1' } })
    await (await scene.visit()).post('/forgot-password', { email })
    await until(async () => (await scene.owner('portal.client_outbox').first('error')).error)
    await scene.portal.close()
    await scene
      .owner('portal_jobs.job')
      .where({ name: 'mail-first' })
      .update({ state: 'retry', start_after: new Date(0) })
    const [one, two] = await Promise.all([1, 2].map(() => open({ mail: { from, url }, on: scene })))
    await until(() => taken.length)
    await jobsDone(scene.owner, 'mail')

    expect(taken).to.have.length(1)
    expect([one, two]).to.have.length(2)
    await end()
  })

  it('that was sent is noted when the database answers again, and not sent once more', async () => {
    const { name, owner } = await fresh()
    const limit = (connections: number) => postgres.raw(`alter database ${name} connection limit ${connections}`)
    const sent: string[] = []
    const send = async ({ to }: Message) => {
      sent.push(to)
      await limit(0)
      await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    }
    const on = { name, owner, database: connectPortal(urlOf(name), password, { min: 0, max: 8 }) }
    const scene = await open({ on, mail: { from, send } })
    await (await scene.visit()).post('/forgot-password', { email })
    await until(() => scene.log.find(it => it.sentence.startsWith('a mail was sent; that it was is noted')))
    await limit(-1)
    await until(async () => (await owner('portal.client_outbox').first('sent_at')).sent_at)
    // Were it tried again, that would be five seconds after it failed.
    await owner('portal_jobs.job')
      .where({ name: 'mail-first', state: 'retry' })
      .update({ start_after: new Date(0) })
    await jobsDone(owner, 'mail')
    expect(sent).to.deep.equal([email])
  })

  it('that lets somebody in does not wait for the many others', async () => {
    const { taken, url, end } = await server()
    const scene = await open({ mail: { from, url } })
    const nobody = await scene.visit()
    await nobody.post('/forgot-password', { email })
    await until(() => taken.length)
    const { id: _, ...row } = await scene.owner('portal.client_outbox').first()
    const text = { subject: 'One of many', text: 'x', html: 'x', from: 'Brightside' }
    const sealed = seal(JSON.stringify(text), ['a secret of at least thirty-two characters'], 'mail')
    const ids = Array.from({ length: 150 }, () => randomUUID())
    await scene
      .owner('portal.client_outbox')
      .insert(
        ids.map(id => ({ ...row, id, kind: 'signed-copy', recipient: 'many@else.example', sealed, sent_at: null })),
      )
    await scene.owner.raw(
      `insert into portal_jobs.job (name, data, policy, retry_limit, expire_seconds)
       select 'mail', jsonb_build_object('workspace', '1', 'slug', 'brightside', 'id', it), 'standard', 8, 120
       from unnest(?::text[]) it`,
      [ids],
    )
    await until(() => taken.length > 20)
    await nobody.post('/sign-in/code', { email })
    const before = taken.length
    await until(() => taken.some((it, at) => at > 0 && it.to?.[0]?.address === email))
    expect(taken.length - before).to.be.below(60)
    expect(taken.length).to.be.below(150)
    await until(() => taken.length === 152)
    await end()
  })

  it('rests for a workspace where the portal is switched off', async () => {
    let on = true
    const scene = await open({ mail: 'kept', flags: { enabledAnywhere: () => true, enabled: () => on } })
    const nobody = await scene.visit()
    const asked = nobody.post('/forgot-password', { email })
    const answer = await asked.then(it => it)
    expect(answer.status).to.equal(303)
    await scene.mailTo(email)
    on = false
    scene.mails.length = 0
    await scene.owner('portal.client_outbox').update({ sent_at: null, sealed: Buffer.from('x') })
    await scene
      .owner('portal_jobs.job')
      .where({ name: 'mail-first' })
      .update({ state: 'created', start_after: new Date(0), completed_on: null })
    await until(
      async () => (await scene.owner('portal_jobs.job').where({ name: 'mail-first' }).first('state')).state === 'retry',
    )
    expect(scene.mails).to.be.empty
  })
})

describe('a seal', () => {
  it('opens with the secret it was made with, also when there is a newer one, and with no other', () => {
    const sealed = seal('a link', ['old'.repeat(12)], 'mail')
    expect(unsealOrUndefined(sealed, ['new'.repeat(12), 'old'.repeat(12)], 'mail')).to.equal('a link')
    expect(unsealOrUndefined(sealed, ['new'.repeat(12)], 'mail')).to.equal(undefined)
    sealed[14] = sealed[14]! ^ 1
    expect(unsealOrUndefined(sealed, ['old'.repeat(12)], 'mail')).to.equal(undefined)
    expect(unsealOrUndefined(Buffer.alloc(3), ['old'.repeat(12)], 'mail')).to.equal(undefined)
  })
})
