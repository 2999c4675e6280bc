import { expect } from 'chai'
import type { Request } from 'express'
import { readCookie } from './cookies.ts'

const read = (header: string | undefined, name: string) => readCookie({ get: () => header } as unknown as Request, name)

describe('a cookie', () => {
  it('is found among those of the host, by its whole name', () => {
    const header = 'crm.sid=s%3Aabc; xportico.way=other; portico.way=code; portico.device=AbC-_12'
    expect(read(header, 'portico.way')).to.equal('code')
    expect(read(header, 'portico.device')).to.equal('AbC-_12')
    expect(read(header, 'portico')).to.equal(undefined)
  })

  it('is the first of its name, which is of the longest path, with or without a space before it', () => {
    expect(read('portico.way=code; portico.way=password', 'portico.way')).to.equal('code')
    expect(read('a=1;portico.way=code', 'portico.way')).to.equal('code')
  })

  it('is undefined if none of its name was sent', () => {
    for (const header of [undefined, '', ';;=', 'portico.way', 'a=portico.way=code'])
      for (const name of ['portico.way', '__proto__', 'toString']) expect(read(header, name)).to.equal(undefined)
  })
})
