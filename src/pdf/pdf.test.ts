import { expect } from 'chai'
import { extractText, getDocumentProxy } from 'unpdf'
import { type PrintedDocument, pdfOf } from './pdf.ts'
import { endPdf, pdfProcesses } from './pool.ts'

const plain: PrintedDocument = {
  language: 'en-GB',
  direction: 'ltr',
  title: 'Winter campaign',
  number: 'P-2026-031',
  date: '2026-11-19',
  sender: 'Brightside',
  letterhead: ['Brightside Studio B.V.', 'Entrepotdok 84'],
  colour: '#0c5a63',
  addressee: { label: 'For', lines: ['Acme Bakery B.V.', 'Nadia El-Khoury'] },
  facts: [
    ['Proposal', 'P-2026-031'],
    ['Date', '19 November 2026'],
  ],
  intro: ['As we spoke.'],
  columns: ['Description', 'Quantity', 'Amount'],
  groups: [{ heading: 'Shop', lines: [line('Search'), line('Filters')] }],
  totals: [
    ['Net', '€190.00', false],
    ['Total', '€229.90', true],
  ],
  terms: ['Within 14 days.'],
  footer: 'Brightside Studio B.V.',
}

describe('a PDF', () => {
  after(endPdf)

  it('has all of the document, with the number on each page', async () => {
    const { text, pages } = await read(await pdfOf(plain))

    expect(pages).to.equal(1)
    for (const it of [...plain.letterhead, 'Nadia El-Khoury', 'As we spoke.', 'Search', '€229.90', 'Within 14 days.'])
      expect(text).to.include(it)
    expect(text).to.include('P-2026-031 · 1 / 1')
  })

  it('is PDF/UA-1: tagged, with headings, header cells, a title and a language', async () => {
    const bytes = await pdfOf(plain)
    const { pdf } = await read(bytes)
    const roles = rolesOf(await (await pdf.getPage(1)).getStructTree())
    const { info, metadata } = await pdf.getMetadata()

    expect(metadata.get('pdfuaid:part') ?? xmp(bytes)).to.match(/^1$|pdfuaid:part>1</)
    expect(await pdf.getMarkInfo()).to.include({ Marked: true })
    expect(roles).to.include.members(['Document', 'H1', 'P', 'Table', 'TR', 'TH', 'TD'])
    expect(info).to.include({ Title: 'Winter campaign', Author: 'Brightside', Language: 'en-GB' })
  })

  it('bears the logo of its sender: one with the name in it stands for the name', async () => {
    const drawn = async (size: string, inner = '<path d="M0 0h20v20H0z" fill="#123456"/>') => {
      const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}">${inner}</svg>`
      const bytes = await pdfOf(plain, { type: 'image/svg+xml', bytes: Buffer.from(text) })
      const { pdf, text: said } = await read(bytes)
      return { said, roles: rolesOf(await (await pdf.getPage(1)).getStructTree()), bytes }
    }
    const [wide, square, broken] = [await drawn('60 20'), await drawn('20 20'), await drawn('20 20', '<path')]

    expect(wide.roles).to.include('Figure')
    expect(wide.said).to.not.match(/Brightside\n/)
    expect(square.roles).to.not.include('Figure')
    expect(square.said).to.match(/^\s*Brightside\s/)
    expect(broken.said).to.match(/^\s*Brightside\s/)
    for (const { bytes } of [wide, square, broken]) expect(xmp(bytes)).to.match(/pdfuaid:part>1</)
  })

  it('keeps serifs in the letters of a logo', async () => {
    const font = async (family: string) => {
      const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20"><text y="15" font-family="${family}">Qw</text></svg>`
      const { pdf } = await read(await pdfOf(plain, { type: 'image/svg+xml', bytes: Buffer.from(text) }))
      const page = await pdf.getPage(1)
      await page.getOperatorList()
      const { items } = await page.getTextContent()
      const { fontName } = items.find((it: any) => it.str?.includes('Qw')) as { fontName: string }
      return page.commonObjs.get(fontName).name.replace(/^[A-Z]{6}\+/, '')
    }
    expect(await font('Arial, sans-serif')).to.match(/^Inter/)
    for (const family of ["Georgia, 'Times New Roman'", 'serif']) expect(await font(family)).to.match(/^SourceSerif4/)
  })

  it('of two thousand lines has each of them once, and the column heads on each page', async () => {
    const groups = [0, 1, 2, 3].map(g => ({
      heading: `Part ${g}`,
      lines: Array.from({ length: 500 }, (_, at) => line(`Line no. ${g * 500 + at}.`)),
    }))
    const { texts, text, pages } = await read(await pdfOf({ ...plain, groups }))

    expect(pages).to.be.above(40)
    const found = [...text.matchAll(/Line no\. (\d+)\./g)].map(it => Number(it[1]))
    expect(found).to.deep.equal(Array.from({ length: 2000 }, (_, at) => at))
    for (const it of texts.slice(0, -1))
      expect(it)
        .to.include('Quantity')
        .and.match(/Part \d/)
    expect(texts[5]).to.include(`6 / ${pages}`)
  })

  it('takes hostile text as text', async () => {
    const hostile = ['#eval("1+1")', '$x$ *bold* _it_ `raw`', '@ref <label>', '<script>alert(1)</script>', '= Heading']
    const more = ['#read("/etc/passwd")', '\\u{41} \\ // comment /* */', '"] } #panic()', '{{7*7}} <%= 7*7 %>']
    const all = [...hostile, ...more]
    const groups = [{ heading: all.join(' '), lines: all.map(it => ({ ...line(it), details: [it], quantity: it })) }]
    const { text } = await read(await pdfOf({ ...plain, title: hostile[0]!, intro: all, terms: all, groups }))

    for (const it of all) expect(text.split(it).length, it).to.be.above(4)
    const { text: odd } = await read(await pdfOf({ ...plain, intro: ['a\u0000b\u202ec\u0007d\ud800e\ufffff'] }))
    expect(odd).to.include('abcd?ef')
  })

  it('breaks a word that is longer than a line, and loses nothing of it', async () => {
    const word = 'Donaudampfschiff'.repeat(625)
    const letterhead = [word.slice(0, 200)]
    const groups = [{ heading: null, lines: [{ ...line(word.slice(0, 300)), quantity: word.slice(0, 100) }] }]
    const bytes = await pdfOf({ ...plain, title: word.slice(0, 400), letterhead, intro: [word], groups })
    const { text, pages, pdf } = await read(bytes)
    const { width, items } = await placed(pdf)

    expect(pages).to.be.above(1)
    for (const it of items) expect(it.x + it.width, it.str).to.be.below(width - 50)
    expect(text.replace(/\s|Brightside Studio B\.V\.\s+P-2026-031 · \d \/ \d/g, '')).to.include(word)
  })

  it('says what was written in Greek, Cyrillic, Arabic, Hebrew, Japanese and emoji, with a glyph for each', async () => {
    const words = ['Καλημέρα κόσμε', 'Привіт, Їжак', 'مرحبا بالعالم', 'שלום עולם', 'こんにちは世界', '🚀', 'Đặng Ơn Ż']
    const bytes = await pdfOf({ ...plain, title: words.join(' '), intro: words })
    const { text, pdf } = await read(bytes)

    // A character without a glyph would have cost the mark.
    expect(xmp(bytes)).to.include('pdfuaid:part>1<')
    for (const it of words.flatMap(it => it.split(' '))) expect(text).to.include(it)
    expect(await fontsOf(pdf)).to.include.members(['Inter', 'Vazirmatn', 'NotoSansHebrew', 'SawarabiGothic'])
  })

  it('loads only the fonts that its letters need', async () => {
    const { pdf } = await read(await pdfOf(plain))

    expect([...new Set((await fontsOf(pdf)).map(it => it.replace(/Display|Text/, '')))]).to.have.members([
      'Inter',
      'SourceSerif4',
    ])
  })

  it('with a character that no font has is still tagged and readable, without the mark', async () => {
    const bytes = await pdfOf({ ...plain, intro: ['Cuneiform: 𒀀, and on'] })
    const { text, pdf } = await read(bytes)

    expect(text).to.include('Cuneiform:').and.include(', and on')
    expect(xmp(bytes)).to.not.include('pdfuaid')
    expect(await pdf.getMarkInfo()).to.include({ Marked: true })
  })

  for (const [language, title, column] of [
    ['ar', 'عرض رقم 2026-0107', 'الوصف'],
    ['he', 'הצעה מספר 2026-0107', 'תיאור'],
  ] as const) {
    it(`in ${language} runs from right to left, and numbers in it from left to right`, async () => {
      const rtl = await read(
        await pdfOf({
          ...plain,
          language,
          direction: 'rtl',
          title,
          columns: [column, 'B', 'C'],
          facts: [['Telephone', '+31 20 555 01 42']],
        }),
      )
      const { width, items } = await placed(rtl.pdf)
      const at = (text: string) => items.find(it => it.str.includes(text))!

      expect(rtl.text).to.include('+31 20 555 01 42')
      expect(
        items.find(it => it.dir === 'rtl' && it.str.length > 3),
        'a run to the left',
      ).to.not.equal(undefined)
      expect(at('Brightside').x, 'the sender is at the right').to.be.above(width / 2)
      expect(at(column).x).to.be.above(at('B').x).and.be.above(at('C').x)
      const heading = items.filter(it => it.height > 15 && it.str.trim())
      const left = heading
        .toSorted((a, b) => a.x - b.x)
        .map(it => it.str)
        .join('')
      expect(left, 'the number stands at the end of the title').to.match(/^2026-0107/)
      expect((await rtl.pdf.getMetadata()).info).to.include({ Language: language })
    })
  }

  it('is the same to the byte for the same document, from whichever process', async () => {
    const first = await pdfOf(plain)
    endPdf()
    await pdfOf({ ...plain, title: 'Another' })
    const second = await pdfOf(plain)

    expect(second.equals(first)).to.equal(true)
    expect((await pdfOf({ ...plain, date: '2026-11-20' })).equals(first)).to.equal(false)
  })

  it('survives the end of its process: those that wait are made by another', async () => {
    await pdfOf(plain)
    const [before] = pdfProcesses()
    const many = { ...plain, groups: [{ heading: null, lines: Array.from({ length: 800 }, () => line('x')) }] }
    const works = [many, many, plain, plain].map(it => pdfOf(it).then(Boolean, (error: Error) => error.message))
    process.kill(before!, 'SIGKILL')

    expect((await Promise.all(works)).filter(it => it !== true)).to.deep.equal(['The PDF process ended: SIGKILL.'])
    expect(pdfProcesses()).to.not.include(before)
    expect(await read(await pdfOf(plain))).to.include({ pages: 1 })
  })

  it('of somebody who asks for very many keeps nobody waiting: what is signed goes first', async () => {
    // A process that has just been started needs a second for its fonts.
    await Promise.all([pdfOf(plain), pdfOf(plain)])
    const done: string[] = []
    const made = (name: string, turn: { by: string; first?: boolean }) =>
      pdfOf({ ...plain, title: name }, undefined, turn).then(
        () => void done.push(name),
        error => void done.push(error.code),
      )
    const many = Array.from({ length: 200 }, (_, at) => made(`greedy ${at}`, { by: 'greedy' }))
    await Promise.all([...many, made('signed', { by: '', first: true }), made('other', { by: 'other' })])

    expect(done.filter(it => it === 'too-many-documents')).to.have.length(194)
    const finished = done.filter(it => it !== 'too-many-documents')
    expect(finished).to.have.length(8)
    expect(finished.at(-1)).to.equal('greedy 5')
  })

  it('is refused when very many wait', async () => {
    const works = Array.from({ length: 80 }, () =>
      pdfOf(plain).then(
        () => 'done',
        error => error.code,
      ),
    )
    const ends = await Promise.all(works)

    expect(ends.filter(it => it === 'busy')).to.have.length(28)
    expect(ends.filter(it => it === 'done')).to.have.length(52)
  })
})

function line(title: string): PrintedDocument['groups'][number]['lines'][number] {
  return { title, details: ['As agreed'], quantity: '1 × €95.00', amount: '€95.00', optional: false, chosen: true }
}

async function read(bytes: Buffer) {
  const pdf = await getDocumentProxy(new Uint8Array(bytes))
  const { text: texts } = await extractText(pdf, { mergePages: false })
  return { pdf, texts, text: texts.join('\n'), pages: pdf.numPages }
}

const xmp = (bytes: Buffer) => /<\?xpacket begin.*?<\?xpacket end/s.exec(bytes.toString('latin1'))?.[0] ?? ''

const rolesOf = (node: any): string[] => (node.role ? [node.role, ...node.children.flatMap(rolesOf)] : [])

async function placed(pdf: any) {
  const page = await pdf.getPage(1)
  const { items } = await page.getTextContent()
  return {
    width: page.getViewport({ scale: 1 }).width,
    items: items.map((it: any) => ({
      str: it.str,
      dir: it.dir,
      height: it.height,
      width: it.width,
      x: it.transform[4],
    })) as {
      str: string
      dir: string
      height: number
      width: number
      x: number
    }[],
  }
}

/** Families, as the file names them. */
async function fontsOf(pdf: any): Promise<string[]> {
  const page = await pdf.getPage(1)
  await page.getOperatorList()
  const { styles } = await page.getTextContent()
  const names = Object.keys(styles).map(id => page.commonObjs.get(id).name as string)
  return [...new Set(names.map(it => it.replace(/^[A-Z]{6}\+/, '').replace(/-.*$/, '')))]
}
