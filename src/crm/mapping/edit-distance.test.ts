import { expect } from 'chai'
import { didYouMean } from './edit-distance.ts'

const columns = ['title', 'total_cents', 'status', 'due_on', 'id']

describe('a misspelt name', () => {
  for (const [typed, meant] of [
    ['totl_cents', 'total_cents'],
    ['totalCents', 'total_cents'],
    ['titel', 'title'],
    ['tilte', 'title'],
    ['dueon', 'due_on'],
    ['stauts', 'status'],
    ['di', 'id'],
  ])
    it(`${typed} is taken for ${meant}`, () => {
      expect(didYouMean(typed!, columns)).to.equal(`; did you mean ${meant}?`)
    })

  it('is taken for nothing where none is near', () => {
    for (const typed of ['customer', 'tail', 'x', '']) expect(didYouMean(typed, columns), typed).to.equal('')
  })
})
