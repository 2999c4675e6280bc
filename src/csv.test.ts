import { expect } from 'chai'
import { csv } from './csv.ts'

describe('CSV', () => {
  it('keeps commas, quotes, lines and other scripts, and runs nothing', () => {
    expect(csv([['a', 'b, c', 'say "hi"', 'two\nlines', 'Łódź 日本']])).to.equal(
      '\ufeffa,"b, c","say ""hi""","two\nlines",Łódź 日本\r\n',
    )
    expect(csv([['=1+1', '+1', '-1', '-1.50', '@x', '\t=1', null, 12]])).to.equal(
      "\ufeff'=1+1,'+1,-1,-1.50,'@x,'\t=1,,12\r\n",
    )
  })
})
