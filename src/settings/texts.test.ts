import { expect } from 'chai'
import { leave, open, whoIs } from '../../test/visit.ts'
import { coreMails, filled, type MailKind, placeholders, template } from '../mail/kinds.ts'
import { speak } from '../platform/i18n.ts'

const area = '/settings/client-portal/mail/texts'
const { email } = whoIs('owner')

describe('mail texts', () => {
  afterEach(leave)

  it('are shown as they are sent, in HTML and plain text, for each kind and language', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const all = await admin.at(area)
    for (const kind of Object.keys(coreMails))
      for (const language of ['en', 'es']) {
        const path = `${area}/${kind}/${language}`
        expect(all).to.show(`href="${path}"`)
        const frame = await admin.at(`${path}/preview`)
        expect(frame.text, path)
          .to.include(`lang="${language}"`)
          .and.not.match(/\{\w+\}|undefined/)
        expect(frame.headers['content-security-policy']).to.equal(
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
        )
        expect((await admin.at(path)).status).to.equal(200)
      }
    for (const path of ['/nonsense/en', '/sign-in/fr', '/__proto__/en', '/nonsense/en/preview'])
      expect((await admin.at(area + path)).status, path).to.equal(404)
  })

  it('are a workspace’s own from the next mail on, in that language, and go back to what they were', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const path = `${area}/reset/en`
    const words = {
      subject: 'A new one for {workspace}',
      body: 'First.\r\n\r\n\r\nGood for {minutes} minutes.\r\nReally.',
    }
    expect((await admin.postAt(path, words)).headers.location).to.equal(`${path}?saved`)
    await nobody.post('/forgot-password', { email })
    const mail = await scene.mailTo(email)
    expect(mail.subject).to.equal('A new one for Brightside Agency')
    expect(mail.text).to.match(
      /^Hello Nadia,\n\nFirst\.\n\nGood for 30 minutes\.\nReally\.\n\nChoose a new password:\nhttps:.+\n\nThe link works once/,
    )
    expect(mail.html).to.include('<p style="margin:0 0 16px">First.</p>')
    expect(await admin.at(area)).to.show('edited')

    await scene.owner('portal.client_users').where({ email }).update({ language: 'es' })
    scene.mails.length = 0
    await nobody.post('/forgot-password', { email })
    expect((await scene.mailTo(email)).subject).to.equal('Elegir una contraseña nueva')
    expect((await admin.postAt(path, { reset: '' })).status).to.equal(303)
    expect(await scene.owner('portal.client_mail_texts')).to.be.empty
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'changed the e-mail text: Forgot the password (en)',
    )
    const [row] = await scene.owner('portal.client_activity_logs').where({ event: 'settings.reworded' }).orderBy('id')
    expect(row.subject.before).to.include('Someone, probably you').and.include('Choose a new password')
    expect(row.subject.after).to.include('Good for {minutes} minutes.')
  })

  it('may hold what they like: none of it runs, and only the gaps of that mail are filled, once', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const path = `${area}/reset/en`
    const hostile = `<script>alert(1)</script> <img src=x onerror=y> <%= process.env %> {workspace}`
    const form = { subject: `a\r\nBcc: all@else.where ${hostile}`, body: hostile }
    expect((await admin.postAt(path, form)).status).to.equal(303)
    await nobody.post('/forgot-password', { email })
    const { html, subject } = await scene.mailTo(email)
    expect(html)
      .to.include('&lt;script&gt;alert(1)')
      .and.include('&lt;%= process.env %&gt; Brightside')
      .and.not.match(/<script|<img/)
    expect(subject).to.not.match(/[\r\n]/)
    expect((await admin.at(path)).text).to.not.match(/<script>alert|<img src=x/)
    expect((await admin.at(`${path}/preview?subject=x&body=${encodeURIComponent(hostile)}`)).text).to.not.match(
      /<script|<img/,
    )

    for (const [typed, sentence] of [
      [{ subject: '', body: 'x' }, 'Enter a subject.'],
      [{ subject: 'x', body: ' \n ' }, 'Enter at least one paragraph.'],
      [{ subject: 'x'.repeat(201), body: 'x' }, 'Use at most 200 characters.'],
      [{ subject: 'x', body: 'x'.repeat(2_001) }, 'Use at most 2000 characters.'],
      [{ subject: '{code}', body: 'x' }, 'Braces stand only around the words'],
      [{ subject: 'x', body: 'kept {minutes' }, 'Braces stand only around the words'],
      [{ subject: 'x', body: '{}' }, 'Braces stand only around the words'],
    ] as const)
      expect(await admin.postAt(path, typed), sentence)
        .to.include({ status: 422 })
        .and.show(sentence)
    expect(await admin.postAt(path, { subject: 'x', body: 'kept {minutes' })).to.show('kept {minutes')
    expect(filled('{a} {b} {c}', { a: '{b}', b: 1 })).to.equal('{b} 1 {c}')
    expect(filled('{constructor}', {})).to.equal('{constructor}')
  })

  it('are tried without being saved, and taken by one of two who save at once', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, other] = [await scene.visit('admin'), await scene.visit('admin')]
    const path = `${area}/unlock/en`
    const tried = await admin.postAt(path, { subject: 'Tried & seen', body: 'Only here', preview: '' })
    expect(tried).to.include({ status: 200 }).and.show('preview?subject=Tried+%26+seen', 'Only here')
    expect(await scene.owner('portal.client_mail_texts')).to.be.empty
    const { subject, body } = template('unlock', speak('en').t)
    const was = { 'was.subject': subject, 'was.body': body }
    const answers = await Promise.all([
      admin.postAt(path, { ...was, subject: 'One', body: 'One' }),
      other.postAt(path, { ...was, subject: 'Two', body: 'Two' }),
    ])
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
  })

  it('name every gap that there is, in every language', () => {
    for (const kind of Object.keys(coreMails) as MailKind[])
      for (const language of ['en', 'es']) {
        const { subject, body } = template(kind, speak(language).t)
        const gaps = [...`${subject} ${body}`.matchAll(/\{(\w+)\}/g)].map(it => it[1])
        expect(placeholders(kind), kind).to.include.members(gaps as string[])
      }
  })
})
