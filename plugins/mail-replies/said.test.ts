import { expect } from 'chai'
import { saidIn, textOf, withoutQuotes } from './said.ts'

/** What mail programs put around an answer. */
const quoted: Record<string, string> = {
  'Gmail, English':
    'Yes.\n\nOn Tue, Nov 24, 2026 at 9:00 AM Brightside Agency <\nportal@example.com> wrote:\n\n> Hello Nadia,\n> text\n',
  'Gmail, Spanish': 'Yes.\n\nEl mar, 24 nov 2026 a las 9:00, Brightside (<portal@example.com>)\nescribió:\n\n> Hola\n',
  'Gmail, German': 'Yes.\n\nAm Di., 24. Nov. 2026 um 09:00 Uhr schrieb Brightside <portal@example.com>:\n\n> Hallo\n',
  'Gmail, Dutch': 'Yes.\n\nOp di 24 nov 2026 om 09:00 schreef Brightside <portal@example.com>:\n\n> Hallo\n',
  'Gmail, French': 'Yes.\n\nLe mar. 24 nov. 2026 à 09:00, Brightside <portal@example.com> a écrit :\n\n> Bonjour\n',
  'Outlook, English':
    'Yes.\r\n\r\nFrom: Brightside <portal@example.com>\r\nSent: Tuesday, November 24, 2026 9:00 AM\r\nTo: Nadia <n@a.example>\r\nSubject: Question\r\n\r\nHello\r\n',
  'Outlook, Dutch, with a line':
    'Yes.\n\n________________________________\nVan: Brightside <portal@example.com>\nVerzonden: dinsdag 24 november 2026 09:00\nAan: Nadia\nOnderwerp: Vraag\n\nHallo\n',
  'Outlook, German':
    'Yes.\n\nVon: Brightside <portal@example.com>\nGesendet: Dienstag, 24. November 2026 09:00\nAn: Nadia\nBetreff: Frage\n\nHallo\n',
  'Outlook, Spanish':
    'Yes.\n\nDe: Brightside <portal@example.com>\nEnviado el: martes, 24 de noviembre de 2026 9:00\nPara: Nadia\nAsunto: Pregunta\n\nHola\n',
  'Outlook, French':
    'Yes.\n\nDe : Brightside <portal@example.com>\nEnvoyé : mardi 24 novembre 2026 09:00\nÀ : Nadia\nObjet : Question\n\nBonjour\n',
  'Outlook of old': 'Yes.\n\n-----Original Message-----\nFrom: x\nSent: y\n\nHello\n',
  'Outlook of old, German': 'Yes.\n\n-----Ursprüngliche Nachricht-----\nVon: x\n\nHallo\n',
  'Apple Mail on a phone':
    'Yes.\n\nSent from my iPhone\n\n> On 24 Nov 2026, at 09:00, Brightside <portal@example.com> wrote:\n> \n> Hello\n',
  'Apple Mail, German':
    'Yes.\n\nVon meinem iPhone gesendet\n\n> Am 24.11.2026 um 09:00 schrieb Brightside:\n> \n> Hallo\n',
  'Thunderbird, English': 'Yes.\n\nOn 24/11/2026 09:00, Brightside wrote:\n> Hello\n',
  'Thunderbird, German': 'Yes.\n\nAm 24.11.26 um 09:00 schrieb Brightside:\n> Hallo\n',
  'Thunderbird, below the quotation': 'On 24/11/2026 09:00, Brightside wrote:\n> Hello\n> Nadia\n\nYes.\n',
  'Thunderbird, French': 'Yes.\n\nLe 24/11/2026 à 09:00, Brightside a écrit :\n> Bonjour\n',
  'a signature': 'Yes.\n\n-- \nNadia El-Khoury\nAcme Bakery\n',
  'Outlook on a phone, Spanish':
    'Yes.\n\nObtener Outlook para iOS\n________________________________\nDe: Brightside\nEnviado: martes\nPara: Nadia\n\nHola\n',
}

const untouched = [
  'On Monday Jane wrote: please do it.\nI agree with her.\nFrom: the heart\n\nBest wishes,\nNadia\n\nPS: the second one, too.',
  'De: Madrid a París son 1200 km.\nSaludos, Ana',
  'From: Rotterdam\nTo: Porto\n\nOne pallet.',
]

describe('what a reply says', () => {
  for (const [program, text] of Object.entries(quoted))
    it(`is told from what is quoted: ${program}`, () => expect(saidIn({ text, html: '' })).to.equal('Yes.'))

  it('is left as it is where nothing is quoted', () => {
    for (const text of untouched) expect(saidIn({ text, html: '' })).to.equal(text)
  })

  it('between quoted lines is all there', () => {
    expect(withoutQuotes('> Shall we start?\nYes.\n> And the price?\nFine.')).to.equal('Yes.\nFine.')
  })

  it('comes from HTML where there is no text, without scripts, styles and quoted mails', () => {
    const html = `<html><head><style>p{}</style><title>x</title></head><body><p>Yes &lt;b&gt;,<br>please.</p>
      <script>alert(1)</script><ul><li>one</li><li>two</li></ul><svg onload="alert(1)"><text>no</text></svg>
      <div style="display:none">hidden</div>
      <div class="gmail_quote"><div>On … wrote:</div><blockquote>Hello</blockquote></div></body></html>`
    expect(saidIn({ text: ' \n', html })).to.equal('Yes <b>,\nplease.\n- one\n- two')
    expect(textOf('<p>Yes.</p><div id="divRplyFwdMsg"><b>From:</b> x</div><div>Hello</div>')).to.equal('Yes.')
    expect(textOf('<div>Yes.</div><blockquote type="cite"><div>Hello</div></blockquote>')).to.equal('Yes.')
  })

  it('is read in time, however odd it is', function () {
    // Seconds here; hours where the time grows with the square of the length.
    this.timeout(60_000)
    const odd = ['On '.repeat(60_000), 'On a\n'.repeat(50_000), '> '.repeat(100_000), 'Op 1 schreef '.repeat(20_000)]
    const tags = ['<div>'.repeat(100_000), '<'.repeat(200_000), '<a '.repeat(100_000), '&'.repeat(200_000)]
    for (const text of [...odd, `${'_'.repeat(200_000)}x`, '\n'.repeat(300_000), 'von: '.repeat(60_000)])
      expect(saidIn({ text, html: '' })).to.be.a('string')
    for (const html of tags) expect(saidIn({ text: '', html })).to.be.a('string')
  })
})
