import { crc32, deflateSync } from 'node:zlib'
import { expect } from 'chai'
import { wcagContrast } from 'culori/fn'
import { tonesOf } from './contrast.ts'
import { onDark } from './dark-logo.ts'
import { logoFrom } from './logo.ts'

const svg = (inner: string, more = 'viewBox="0 0 40 20"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" ${more}>${inner}</svg>`
const cleaned = (text: string) => {
  const logo = logoFrom(Buffer.from(text))
  return logo && { ...logo, text: logo.bytes.toString() }
}
const square = '<path d="M0 0h20v20H0z" fill="#123456"/>'

describe('a logo as SVG', () => {
  it('keeps what it draws: shapes, groups, gradients, clips, words and styles', () => {
    const drawing = `<title>Ours</title><style>.a{fill:#1f5f4a;stroke:url(#g)}</style>
      <defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient><clipPath id="c">${square}</clipPath></defs>
      <g class="a" transform="rotate(3)" clip-path="url(#c)"><circle cx="1" cy="2" r="3"/><use href="#g"/></g>
      <text x="1" y="9" font-family="Georgia, 'Times New Roman'">R&amp;D &lt;3</text>`
    const logo = cleaned(`<?xml version="1.0"?><!DOCTYPE svg><!-- by hand -->${svg(drawing)}`)!

    expect(logo).to.include({ type: 'image/svg+xml', width: 40, height: 20, left: 0 })
    for (const part of [
      'stroke:url(#g)',
      'stop-color="red"',
      'clip-path="url(#c)"',
      '<use href="#g">',
      'R&amp;D &lt;3',
      'transform="rotate(3)"',
    ])
      expect(logo.text).to.include(part)
  })

  for (const [what, hostile, count = 1] of [
    ['a script', '<script>alert(1)</script>'],
    ['a script in another case of letters', '<SCRIPT>alert(1)</SCRIPT>'],
    ['a script by its address', '<script href="https://evil.example/x.js"/>'],
    ['an event handler', '<path d="M0 0" onload="alert(1)"/>'],
    ['an event handler in capitals', '<path d="M0 0" onClick="alert(1)"/>'],
    [
      'a page inside',
      '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="//evil.example"/></body></foreignObject>',
    ],
    ['a picture from elsewhere', '<image href="https://evil.example/pixel.png"/>'],
    [
      'a picture of data',
      '<image xlink:href="data:image/svg+xml;base64,PHN2Zz4=" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
    ],
    ['a link', '<a href="javascript:alert(1)"><path d="M0 0"/></a>'],
    ['another drawing by its address', '<use href="https://evil.example/x.svg#a"/>'],
    ['a reference by javascript', '<use xlink:href="javascript:alert(1)" xmlns:xlink="http://www.w3.org/1999/xlink"/>'],
    ['an animation that sets an address', '<set attributeName="href" to="javascript:alert(1)"/>'],
    ['an animation', '<animate attributeName="href" values="javascript:alert(1)"/>'],
    ['a style sheet from elsewhere', '<style>@import url(https://evil.example/x.css);</style>'],
    ['a font from elsewhere', '<style>@font-face{font-family:x;src:url(//evil.example/f)}</style>'],
    ['a style that fetches', '<path d="M0 0" style="fill:url(https://evil.example/x.svg#a)"/>'],
    ['a style that hides its address by escapes', '<path d="M0 0" style="fill:u\\72l(//evil.example)"/>'],
    ['a style that hides it in a comment', '<path d="M0 0" style="fill:ur/**/l(//evil.example)"/>'],
    ['a paint from elsewhere', '<path d="M0 0" fill="url(//evil.example/x.svg#a)"/>'],
    ['a filter', '<filter id="f"><feImage href="https://evil.example/x"/></filter>'],
    ['the handler of a browser', '<handler type="application/ecmascript">alert(1)</handler>'],
  ] as [string, string, number?][]) {
    it(`loses ${what}, and says so`, () => {
      const logo = cleaned(svg(hostile + square))!

      expect(logo.text).to.not.match(
        /evil|alert|script|onload|onclick|<image|<a\b|foreign|@import|@font|feImage|u\\72l/i,
      )
      expect(logo.left).to.equal(count)
      expect(logo.text).to.include('M0 0h20v20H0z')
    })
  }

  it('loses what editors say of themselves without a word', () => {
    const logo = cleaned(
      svg(
        `<sodipodi:namedview pagecolor="#fff"/><metadata><rdf:RDF>C:\\Users\\jo</rdf:RDF></metadata><g inkscape:label="Layer" data-name="x">${square}</g>`,
        'viewBox="0 0 4 4" xmlns:inkscape="x" xmlns:sodipodi="y" xmlns:rdf="z" version="1.1" inkscape:version="1"',
      ),
    )!
    expect(logo.left).to.equal(0)
    expect(logo.text).to.not.match(/inkscape|sodipodi|Users/)
  })

  it('takes its size from its box or from its width and height', () => {
    expect(cleaned(svg(square, 'width="90px" height="30"'))).to.include({ width: 90, height: 30 })
    expect(cleaned(svg(square, 'viewBox="-5,-5, 10 20"'))!.text).to.include('viewBox="-5 -5 10 20"')
    for (const none of ['', 'width="100%"', 'viewBox="0 0 0 0"', 'viewBox="0 0 1e9 1"', 'viewBox="a b c d"'])
      expect(cleaned(svg(square, none)), none).to.equal(undefined)
  })

  it('is refused where it draws itself over and over, or endlessly', () => {
    const ten = (id: string, of: string) => `<g id="${id}">${`<use href="#${of}"/>`.repeat(10)}</g>`
    const bomb = `<g id="a">${square}</g>${ten('b', 'a')}${ten('c', 'b')}${ten('d', 'c')}${ten('e', 'd')}${ten('f', 'e')}`
    expect(cleaned(svg(bomb))).to.equal(undefined)
    expect(cleaned(svg(`<g id="a"><use href="#a"/></g>${square}`))).to.equal(undefined)
    expect(cleaned(svg(`<clipPath id="a" clip-path="url(#a)">${square}</clipPath>${square}`))).to.equal(undefined)
    expect(cleaned(svg('<g>'.repeat(60) + square + '</g>'.repeat(60)))).to.equal(undefined)
  })

  it('is refused where it is none', () => {
    const laughs = `<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>${svg(`<text>&b;</text>${square}`)}`
    expect(cleaned(laughs)?.text ?? '').to.not.include('ha')
    for (const none of [
      '',
      'nonsense',
      '<svg',
      svg(''),
      svg('<script>1</script>'),
      '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>',
      '<html xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></html>',
      svg(square).replace('</svg>', ''),
      svg(square) + svg(square),
      svg(square + ' '.repeat(200_000)),
    ])
      expect(cleaned(none), none.slice(0, 80)).to.equal(undefined)
  })
})

describe('a drawing on dark paper', () => {
  const drawing = (inner: string, more = '') => cleaned(svg(inner, `viewBox="0 0 60 20"${more}`))!.text

  it('is lightened where it would hardly be seen, in its own hue', () => {
    const text = onDark(drawing('<path d="M0 0h9" fill="#1f5f4a"/><path d="M0 0h9" stroke="#e0a526" fill="none"/>'))
    const [green = '', ...others] = [...text.matchAll(/(?:fill|stroke)="(#\w+|none)"/g)].map(it => it[1]).slice(1)
    expect(wcagContrast(green, '#1c1f20')).to.be.above(4.5)
    expect(others).to.have.members(['#e0a526', 'none'])
  })

  it('is so in styles, gradients and inherited black too', () => {
    const styled = drawing('<style>.a{fill:navy;stroke:rgb(1,2,3)}</style><path class="a" d="M0 0h9"/>')
    expect(onDark(styled)).to.not.match(/navy|rgb/)
    expect(
      onDark(
        drawing('<linearGradient id="g"><stop stop-color="#000"/></linearGradient><path fill="url(#g)" d="M0 0h9"/>'),
      ),
    )
      .to.include('url(#g)')
      .and.not.include('#000')
    expect(onDark(drawing('<path d="M0 0h9"/>'))).to.match(/^<svg fill="#bcbcbc"/)
    expect(onDark(drawing('<path d="M0 0h9"/>', ' fill="#222"'))).to.not.include('#222')
  })

  it('lies on a white tile where a part is light or a colour is unknown', () => {
    for (const colour of ['#fff', 'ivory', 'color-mix(in oklab, red, blue)', 'lab(90 0 0)']) {
      const text = onDark(drawing(`<path d="M0 0h9" fill="#123"/><path d="M0 0h9" fill="${colour}"/>`))
      expect(text, colour)
        .to.include('<rect x="-2" y="-2" width="64" height="24" rx="3" fill="#fff"/>')
        .and.include('#123')
    }
  })
})

describe('a logo as PNG', () => {
  it('keeps its picture and nothing that was written into the file', () => {
    const file = png({ width: 3, height: 2 }, [
      chunk('tEXt', Buffer.from('Author\0Jo')),
      chunk('eXIf', Buffer.from('GPS')),
    ])
    const logo = logoFrom(file)!
    expect(logo).to.include({ type: 'image/png', width: 3, height: 2, left: 0 })
    expect(logo.bytes.toString('latin1'))
      .to.include('IDAT')
      .and.not.match(/Author|GPS/)
  })

  it('loses what hides behind its end', () => {
    const logo = logoFrom(Buffer.concat([png({ width: 3, height: 2 }), Buffer.from('<script>alert(1)</script>')]))!
    expect(logo.bytes.toString('latin1')).to.not.include('script')
  })

  it('is refused where it is damaged, too large, or has other points than it says', () => {
    const good = png({ width: 3, height: 2 })
    const flipped = Buffer.from(good)
    flipped[20] = flipped[20]! ^ 1
    for (const [name, bad] of Object.entries({
      flipped,
      short: good.subarray(0, -4),
      wide: png({ width: 2_001, height: 1 }),
      high: png({ width: 1, height: 40_000 }),
      fewer: png({ width: 30, height: 20, points: Buffer.alloc(5) }),
      more: png({ width: 3, height: 2, points: Buffer.alloc(30_000_000) }),
      empty: png({ width: 0, height: 0 }),
    }))
      expect(logoFrom(bad), name).to.equal(undefined)
  })
})

describe('the tones of a colour', () => {
  it('have enough contrast for any colour', () => {
    for (const colour of [
      '#ffff00',
      '#00ff00',
      '#ffffff',
      '#000000',
      '#ff00ff',
      '#808080',
      '#0c5a63',
      '#00ffff',
      '#ffdab9',
    ])
      for (const { contrast } of [tonesOf(colour).light, tonesOf(colour).dark])
        expect(contrast, colour).to.be.at.least(4.5)
  })

  it('say whether the colour is shown as it is', () => {
    expect(tonesOf('#0c5a63').kept).to.equal(true)
    expect(tonesOf('#ffff00').kept).to.equal(false)
  })
})

function png({ width, height, points }: { width: number; height: number; points?: Buffer }, more: Buffer[] = []) {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const data = deflateSync(points ?? Buffer.alloc(height * (1 + width * 3)))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    ...more,
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}
