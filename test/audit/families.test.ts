import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit } from '../../audit/index.ts'

const crms = join(import.meta.dirname, 'crms')

/** Small CRMs, one of each family, each with what a careful reader finds in it; what is not told there is missing. */
describe('the audit of a CRM', () => {
  for (const family of readdirSync(crms)) {
    it(`of the family ${family} finds what is there, and nothing else`, async () => {
      const truth = JSON.parse(readFileSync(join(crms, family, 'truth.json'), 'utf8'))
      const { json } = await audit({ source: join(crms, family) })

      const found = Object.entries(json.answers).filter(([, it]) => it.status !== 'missing')
      expect(Object.fromEntries(found.map(([id, it]) => [id, it.status]))).to.deep.equal(truth.answers)
      const places = Object.entries(json.data).filter(([, it]) => it.table !== null)
      const told = Object.entries(truth.data).filter(([, table]) => table !== null)
      expect(Object.fromEntries(places.map(([what, it]) => [what, it.table]))).to.deep.equal(Object.fromEntries(told))
    })
  }

  it('gives evidence, that is in the file and on the line that it names, for all that is there', async () => {
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
