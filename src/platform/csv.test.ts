import { expect } from 'chai'
import fc from 'fast-check'
import { csv, csvRows, csvText } from './csv.ts'

describe('CSV', () => {
  it('keeps commas, quotes, lines and other scripts, and runs nothing', () => {
    expect(csv([['a', 'b, c', 'say "hi"', 'two\nlines', 'Łódź 日本']])).to.equal(
      '\ufeffa,"b, c","say ""hi""","two\nlines",Łódź 日本\r\n',
    )
    expect(csv([['=1+1', '+1', '-1', '-1.50', '@x', '\t=1', null, 12]])).to.equal(
      "\ufeff'=1+1,'+1,-1,-1.50,'@x,'\t=1,,12\r\n",
    )
    expect(csv([['＝1+1', '＋1', '－1', '＠x']])).to.equal("\ufeff'＝1+1,'＋1,'－1,'＠x\r\n")
    // A spreadsheet that separates by semicolons sees a cell begin here.
    expect(csv([['x;=1+1', 'x\n@y', 'x; -1']])).to.equal('\ufeff"x;\'=1+1","x\n\'@y","x;\' -1"\r\n')
  })

  it('is read as spreadsheets save it, with the line where each row begins', () => {
    expect(csvRows('\ufeffname;email\r\n"Vos; Jo";jo@x.y\r\n\r\n"two\nlines ""and"" more";a,b\r\nlast')).to.deep.equal([
      { line: 1, cells: ['name', 'email'] },
      { line: 2, cells: ['Vos; Jo', 'jo@x.y'] },
      { line: 4, cells: ['two\nlines "and" more', 'a,b'] },
      { line: 6, cells: ['last'] },
    ])
    expect(csvRows('a\tb,c\td\n"open').map(it => it.cells)).to.deep.equal([['a', 'b,c', 'd'], ['open']])
    expect(csvRows('say "hi", twice\n"5"" nails",3').map(it => it.cells)).to.deep.equal([
      ['say "hi"', 'twice'],
      ['5" nails', '3'],
    ])
    expect(csvRows('a,b\r\r1,2,3\r4').map(it => [it.line, ...it.cells])).to.deep.equal([
      [1, 'a', 'b'],
      [3, '1', '2', '3'],
      [4, '4'],
    ])
    expect(csvRows('a,b\n,\n').map(it => it.cells)).to.deep.equal([['a', 'b']])
    expect(csvRows('')).to.deep.equal([])
  })

  it('is read even with missing quotes', () => {
    const text = fc.string({
      unit: fc.constantFrom('"', ',', ';', '\t', '\n', '\r', ' ', 'a', '\ufeff'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(text, it => {
        for (const { cells } of csvRows(it)) expect(cells.some(Boolean)).to.equal(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is decoded from any common encoding', () => {
    expect(csvText(new TextEncoder().encode('Łódź'))).to.equal('Łódź')
    expect(csvText(Buffer.from('\ufeffŁódź', 'utf16le'))).to.equal('Łódź')
    expect(csvText(Uint8Array.of(0x4a, 0xfc, 0x72))).to.equal('Jür')
  })

  it('reads back any values that were written', () => {
    // Formulas are written with an apostrophe, on purpose.
    const cell = fc.string({ unit: 'binary' }).filter(it => !/(^|[;\t\r\n])\s*[=+\-@＝＋－＠]|^[\t\r]/.test(it))
    const plain = (it: string) => it.replaceAll('\r\n', '\n').replaceAll('\r', '\n').trim()
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1 }), rows => {
        const read = csvRows(csv([['a', 'b', 'c'], ...rows]))
          .slice(1)
          .map(it => it.cells)
        expect(read).to.deep.equal(rows.map(row => row.map(plain)).filter(row => row.some(Boolean)))
      }),
      { numRuns: 1_000 },
    )
  })
})
