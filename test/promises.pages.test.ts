import { expect } from 'chai'
import { everyPage } from './pages/every.ts'
import { leave, open, type Role, type Scene, type Visitor } from './visit.ts'

/** What a page may say of mail where none is sent: that there is none, or what is no promise. */
const honest = [
  /sends no e-mail|E-mail isn’t set up|We can’t send a code|Codes can’t be e-mailed/,
  // A way in that is shown switched off, the names of an event, and how things were.
  /^Code by e-mail$|changed the e-mail text|[Nn]o e-mail/,
  /mailed (code|link)|mailed it to|code sent to this address/,
  // Somebody who got a mail earlier unsubscribes.
  /will no longer e-mail you/,
]
/** Another app, the pages about mail itself, which say that none is sent, and the list of every kind of event. */
const untold = /^\/staff\/|^\/settings\/client-portal\/((staff-|held-)?mail|webhooks\/)/
/** An e-mail address is something else. */
const speaksOfMail =
  /\b(by|an|the|this) e-mails?\b(?! address)|\be-?mailed\b|\be-?mail (you|them|me|it)\b|(?<!e-)\bmail(s|ed|box)?\b/i

/** No promise without its means: every page is visited where mail is sent, and where none is. */
describe('a mail', () => {
  let mailing: Scene
  let silent: Scene
  let places: Awaited<ReturnType<typeof everyPage>>

  before(async function () {
    this.timeout(120_000)
    mailing = await open({ mail: 'kept' })
    places = await everyPage(mailing)
    silent = await open({ on: mailing })
  })
  after(leave)

  it('is promised nowhere where none is sent', async function () {
    this.timeout(120_000)
    const visitors = new Map<Role | undefined, Visitor>()
    const promises: string[] = []
    for (const [role, address, link] of places.filter(it => !untold.test(it[1]))) {
      const who = visitors.get(role) ?? (await silent.visit(role))
      visitors.set(role, who)
      if (link) await who.at(link)
      const { text, headers } = await who.at(address)
      if (!String(headers['content-type']).includes('html')) continue
      promises.push(...sentencesIn(text).map(it => `${address}: ${it}`))
    }
    expect(promises).to.deep.equal([])
  })

  it('is promised where one is sent, in the same places', async () => {
    const { owner } = mailing
    const [{ id }] = (await (await mailing.visit('owner')).api('/proposals?search=P-2026-031')).body.items
    const promise = async ({ visit }: Scene) => [
      (await (await visit('owner')).get(`/proposals/${id}/acceptance`)).text.includes('You get a copy by e-mail.'),
      (await (await visit('member')).get(`/proposals/${id}?asked`)).text.includes('We e-mailed the colleagues'),
      (await (await visit('admin')).at('/settings/client-portal/visibility')).text.includes(
        'get an e-mail before a proposal',
      ),
      (await (await visit('admin')).at('/settings/client-portal/questions')).text.includes('e-mail them your answer'),
      (await notSealed(await visit())).includes('you received by e-mail'),
      (await (await visit('admin')).at('/settings/client-portal/bank-details')).text.includes('told by e-mail'),
    ]
    expect(await promise(mailing)).to.deep.equal([true, true, true, true, true, true])
    expect(await promise(silent)).to.deep.equal([false, false, false, false, false, false])
    expect(await owner('proposals').where({ id }).first('state')).to.deep.equal({ state: 'sent' })
  })

  it('is not spoken of by who asks an approver twice', async () => {
    const member = await silent.visit('member')
    const [{ id }] = (await member.api('/proposals?search=P-2026-031')).body.items
    const again = async () => member.agent.post(`/portal/brightside/api/v1/proposals/${id}/request`)
    await again()
    expect((await again()).body.detail).to.equal('It’s on their home page.')
  })
})

const notSealed = async (who: Visitor) =>
  (await who.agent.post('/portal/brightside/verify').attach('file', Buffer.from('%PDF-1.7'), 'x.pdf')).text

/** Sentences of a page's text that speak of mail, without its menu. */
const sentencesIn = (html: string): string[] =>
  html
    .replace(/<(nav|script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, '\n')
    .split('\n')
    .map(it => it.trim())
    .filter(it => speaksOfMail.test(it) && it !== 'Mail' && !honest.some(one => one.test(it)))
