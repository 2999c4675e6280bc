import { expect } from 'chai'
import { plainText, withoutHtml } from './html.ts'

describe('HTML of a CRM', () => {
  it('is read as text, a line for each paragraph, break and item', () => {
    expect(plainText('<p>Conseil &amp; &Eacute;tude n&deg;1</p>\nligne 2')).to.equal('Conseil & Étude n°1\n\nligne 2')
    expect(plainText('Une <b>liste</b>&nbsp;:<ul><li>été</li><li>"hiver"</li></ul>')).to.equal(
      'Une liste :été\n"hiver"',
    )
    expect(plainText('a<br>b<br/>c')).to.equal('a\nb\nc')
  })

  it('runs nothing and hides what no reader sees', () => {
    expect(plainText('<p>Pay</p><script>alert(1)</script><style>p{}</style>')).to.equal('Pay')
    expect(plainText('&lt;script&gt;alert(1)&lt;/script&gt;')).to.equal('<script>alert(1)</script>')
    expect(plainText('<img src=x onerror=alert(1)>Sail')).to.equal('Sail')
  })

  it('keeps what only looks like a tag, and plain text as it is', () => {
    expect(plainText('Deux\nlignes de <texte> simple')).to.equal('Deux\nlignes de <texte> simple')
    expect(plainText('Vis inox <M8> & rondelle, 3 < 5')).to.equal('Vis inox <M8> & rondelle, 3 < 5')
    expect(plainText('  a  \n\n b ')).to.equal('a  \n\n b')
  })

  it('is found by its marks alone, in rows and in their JSON', () => {
    const marked = (html: string) => `\x0e${html}\x0f`
    const row = {
      at: new Date(0),
      id: 1,
      title: '<b>not HTML</b>',
      lines: [{ text: `A ${marked('<b>B</b>')} C` }],
      no: null,
    }
    expect(withoutHtml(row)).to.deep.equal({ ...row, lines: [{ text: 'A B C' }] })
  })
})
