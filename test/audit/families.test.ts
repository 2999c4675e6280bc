import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit } from '../../audit/index.ts'

const crms = join(import.meta.dirname, 'crms')

/** Small CRMs, one for each framework. truth.json says what is in each; whatever it does not name is missing. */
describe('audit of a small CRM', () => {
  for (const family of readdirSync(crms)) {
    it(`finds what is in the CRM for ${family}, and nothing else`, async () => {
      const truth = JSON.parse(readFileSync(join(crms, family, 'truth.json'), 'utf8'))
      const { json } = await audit({ source: join(crms, family) })

      const found = Object.entries(json.answers).filter(([, it]) => it.status !== 'missing')
      expect(Object.fromEntries(found.map(([id, it]) => [id, it.status]))).to.deep.equal(truth.answers)
      const places = Object.entries(json.data).filter(([, it]) => it.table !== null)
      const expected = Object.entries(truth.data).filter(([, table]) => table !== null)
      expect(Object.fromEntries(places.map(([what, it]) => [what, it.table]))).to.deep.equal(
        Object.fromEntries(expected),
      )
    })
  }

  it('names a file and a line with code as evidence for each finding', async () => {
    const source = join(crms, 'express-knex')
    const { json } = await audit({ source })
    for (const [id, answer] of Object.entries(json.answers)) {
      if (answer.status === 'missing') continue
      expect(answer.evidence, id).not.to.be.empty
      for (const [, file, line] of answer.evidence.join(' ').matchAll(/([\w/.-]+\.js):(\d+)/g))
        expect(
          readFileSync(join(source, file!), 'utf8').split('\n')[Number(line) - 1],
          `${id} ${file}:${line}`,
        ).to.match(/\w/)
    }
  })
})
