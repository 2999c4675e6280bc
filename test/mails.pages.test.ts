import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { modeRgb, useMode, wcagContrast } from 'culori/fn'
import type { Browser } from 'playwright-core'
import { greeting } from '../src/auth/mail-context.ts'
import type { BrandedWorkspace } from '../src/crm/workspaces.ts'
import { excerptOf, logoId, type RenderedMail, renderMail } from '../src/mail/content.ts'
import { coreMails, type Facts, type MailKind, mailOf } from '../src/mail/kinds.ts'
import { mailContentIn } from '../src/mail/texts.ts'
import { pluginHosts } from '../src/options.ts'
import { speak } from '../src/platform/i18n.ts'
import { sections as installed } from '../src/plugin/discover.ts'
import { registered } from '../src/plugin/registry.ts'
import { openBrowser } from './browser.ts'
import { leave, open, whoIs } from './visit.ts'

registered(installed, pluginHosts)
const script = readFileSync(join(import.meta.dirname, 'mail/seen.js'), 'utf8')
useMode(modeRgb)
const kinds = Object.keys(coreMails) as MailKind[]
const colours = ['#0c5a63', '#ffff00', '#ffffff', '#000000', '#d21f26', '#00ff00']
const hostile = '<img src=x onerror=alert(1)>"\'&</style><script>alert(1)</script>\r\nBcc: all@else.where'
const reader = 'nadia@acmebakery.example'

const workspace = (more: Partial<BrandedWorkspace> = {}): BrandedWorkspace => ({
  ...{ id: '1', slug: 'brightside', name: 'Brightside Agency', colour: '#0c5a63', timeZone: 'Europe/Amsterdam' },
  ...{ letterhead: ['Entrepotdok 84', '1018 AD Amsterdam'], given: undefined as never, revision: 0, ...more },
})

const logo = { type: 'image/png' as const, version: 'x', width: 300, height: 64 }

/** A mail of this kind as it is sent; `change` is done to each of its facts. */
function mailed(
  kind: MailKind,
  {
    language = 'en',
    its = workspace(),
    change = it => it,
    more = {},
  }: {
    language?: string
    its?: BrandedWorkspace
    change?: (value: string | number) => string | number
    more?: Facts
  } = {},
): RenderedMail {
  const speech = speak(`${language}|Europe/Amsterdam`)
  const changed = Object.entries(mailOf(kind).facts).map(([name, it]) => [name, change(it)] as const)
  const facts: Facts = { ...Object.fromEntries(changed), workspace: its.name, ...more }
  const letter = mailContentIn(
    kind,
    speech,
    facts,
    undefined,
    'https://portal.example/brightside/a/long/address/1234567890',
  )
  const code = 'code' in facts ? { code: String(facts.code) } : {}
  return renderMail({ greeting: greeting(speech, 'Nadia El-Khoury'), ...letter, ...code }, its, speech, reader)
}

/** The texts that are seen, with their colours, and whether the mail is wider than the screen. */
interface Seen {
  texts: { text: string; colour: string; ground: string }[]
  wide: number
  alts: (string | null)[]
}

async function see(browser: Browser, html: string, dark = false): Promise<Seen> {
  const context = await browser.newContext({
    viewport: { width: 360, height: 740 },
    colorScheme: dark ? 'dark' : 'light',
  })
  const page = await context.newPage()
  const asked: string[] = []
  page.on('request', it => void (it.url().startsWith('http') && asked.push(it.url())))
  await page.setContent(html)
  const seen = await page.evaluate<Seen>(script)
  await context.close()
  expect(asked).to.deep.equal([])
  return seen
}

/** Each word once, whatever separates them. */
const wordsOf = (text: string) =>
  new Set(
    text
      .split(/\s+/)
      .map(it => it.replace(/:$/, ''))
      .filter(it => it && it !== '>' && it !== '--'),
  )

const without = (one: Set<string>, other: Set<string>) => [...one].filter(it => !other.has(it))

describe('mails as they are read', function () {
  this.timeout(60_000)
  let browser: Browser
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser.close())
  afterEach(leave)

  for (const dark of [false, true])
    it(`fit 360 pixels and can be read in ${dark ? 'dark' : 'light'} mode, with images off`, async () => {
      for (const kind of kinds) {
        const { texts, wide, alts } = await see(browser, mailed(kind, { its: workspace({ logo }) }).html, dark)
        expect(wide, kind).to.equal(0)
        expect(alts, kind).to.deep.equal(['Brightside Agency'])
        for (const { text, colour, ground } of texts)
          expect(wcagContrast(colour, ground), `${kind}: ${text}`).to.be.at.least(4.5)
      }
    })

  it('have a button in the brand’s colour whose words can be read, whatever the colour', async () => {
    for (const colour of colours)
      for (const dark of [false, true])
        for (const { text, colour: ink, ground } of (
          await see(browser, mailed('reset', { its: workspace({ colour }) }).html, dark)
        ).texts)
          expect(wcagContrast(ink, ground), `${colour}: ${text}`).to.be.at.least(4.5)
    expect(mailed('reset', { its: workspace({ colour: 'red;} body { display: none' }) }).html).to.include('#0c5a63')
  })

  it('are all looked at, those of plugins too', () => {
    expect(kinds).to.include.members([
      'comments.replied',
      'links.sent',
      'reminders.expiry',
      'signed-copy',
      'staff-mails.digest',
    ])
  })

  it('say the same in text and in HTML, and to whom and why', async () => {
    for (const language of ['en', 'es'])
      for (const kind of kinds) {
        const { html, text } = mailed(kind, { language })
        const { t } = speak(language)
        const [read, shown] = [wordsOf(text), wordsOf((await see(browser, html)).texts.map(it => it.text).join(' '))]
        const only = wordsOf(t('If the button doesn’t work, copy this address into your browser:'))
        expect(without(read, shown), `${kind} ${language}`).to.deep.equal([])
        expect(
          without(shown, read).filter(it => !only.has(it)),
          `${kind} ${language}`,
        ).to.deep.equal([])
        expect(text).to.include(t('Sent to {email}.', { email: reader }))
      }
  })

  it('run nothing and load nothing, whatever names and questions hold, and stay on the screen', async () => {
    for (const kind of kinds) {
      const its = workspace({ name: hostile, letterhead: [hostile] })
      const { html, subject } = mailed(kind, { its, change: it => `${it}${hostile}${'x'.repeat(200)}` })
      expect(subject, kind).to.not.match(/[\r\n]/)
      expect(html, kind).to.not.match(/<script|<img|onerror=alert\(1\)>/)
      expect(html.match(/<\/style>/g), kind).to.have.length(1)
      expect((await see(browser, html)).wide, kind).to.equal(0)
    }
  })

  it('show a PNG as logo, not larger than the band, and the name where there is none', () => {
    const html = mailed('reset', { its: workspace({ logo }) }).html
    expect(html).to.include(`src="cid:${logoId}" width="169" height="36" alt="Brightside Agency"`)
    expect(mailed('reset', { its: workspace({ logo: { ...logo, type: 'image/svg+xml' } }) }).html).to.not.include(
      '<img',
    )
    const small = { ...logo, width: 20, height: 10 }
    expect(mailed('reset', { its: workspace({ logo: small }) }).html).to.include('width="20" height="10"')
  })

  it('quote at most 600 characters, whole ones, and end at a word', () => {
    expect(excerptOf(' short ')).to.equal('short')
    const long = excerptOf('some words '.repeat(100))
    expect(long).to.match(/words…$|some…$/)
    expect(long.length).to.be.within(560, 600)
    expect(excerptOf('👩‍👩‍👧'.repeat(700))).to.equal(`${'👩‍👩‍👧'.repeat(599)}…`)
  })

  it('hold the question beside its answer, and whose it was', async () => {
    const scene = await open({ mail: 'kept' })
    const [member, owner, admin] = await Promise.all((['member', 'owner', 'admin'] as const).map(it => scene.visit(it)))
    const [, id] = /proposals\/(\d+)"[^>]*>[^<]*Winter/.exec((await member!.get('/proposals')).text) ?? []
    const question = `Is travel in the price?\r\n<b>${'Also for London? '.repeat(60)}`
    await owner!.post(`/proposals/${id}/comments`, { text: 'Earlier?' })
    await member!.post(`/proposals/${id}/comments`, { text: question })
    const settings = '/settings/client-portal/questions'
    const [, of] = /questions\/([\w-]+)\/reply/.exec((await admin!.at(settings)).text) ?? []
    await admin!.postAt(`${settings}/${of}/reply`, { text: 'Yes,\r\nwithin the country.' })

    const mine = await scene.mailTo(whoIs('member').email)
    expect(mine.subject).to.match(/answered your question on P-2026-031$/)
    expect(mine.text).to.include('> Yes,\n> within the country.\n\nYou asked:\n> Is travel in the price?\n> <b>Also')
    expect(mine.text).to.match(/…\n\nDocument: P-2026-031\n/)
    expect(mine.html).to.include('&lt;b&gt;Also for London?').and.not.include('<b>Also')
    const others = await scene.mailTo(whoIs('owner').email)
    expect(others.subject).to.match(/answered Youssef Amrani on P-2026-031$/)
    expect(others.text).to.include('Youssef Amrani asked:\n> Is travel').and.not.include('You asked')
  })

  it('tell an approver the title, the total, and until when the price holds', async () => {
    const scene = await open({ mail: 'kept' })
    const member = await scene.visit('member')
    const [, id] = /proposals\/(\d+)"[^>]*>[^<]*Winter/.exec((await member.get('/proposals')).text) ?? []
    await member.post(`/proposals/${id}/request`)
    const { text } = await scene.mailTo('sanne@acmebakery.example')
    expect(text).to.match(
      /review “Winter[^”]+” from Brightside Agency\. The price of €16,736\.72 holds until \w+ 24 November/,
    )
    expect(text).to.match(/\nTitle: Winter.+\nTotal: €16,736\.72\nPrice holds until: \w+,? 24 November/)
    expect(text).to.include('Sent to sanne@acmebakery.example. You get this because you can accept or decline it.')
  })
})
