import { expect } from 'chai'
import fc from 'fast-check'
import { map } from '../../../demo/adapter/map.ts'
import { serving } from '../../../test/serving.ts'
import { checkApi } from '../activation/reading/api.ts'
import { inCents } from './amounts.ts'
import { requestOf } from './call.ts'
import type { CrmMap, RecordMap } from './map.ts'
import { shapeProblems } from './shape.ts'

const call = { url: '{env NO_SUCH_ADDRESS}/payments', body: { amount: '{amount}', account: '{env NO_SUCH_ACCOUNT}' } }
const recording = (record: Partial<RecordMap>): CrmMap => ({
  ...map,
  payments: { ...map.payments!, record: { key: 'reference', call, ...record } },
})

describe('recording payments, by a map', () => {
  it('sends amounts to the last digit, as texts, numbers and whole cents, in every currency', async () => {
    const heard: string[] = []
    const server = await serving(async (_request, _body, bytes) => {
      heard.push(bytes.toString())
      return 200
    })
    const body = { text: '{amount}', number: '{amount}', cents: '{cents}' }
    const currency = fc.constantFrom(...Object.entries({ JPY: 0, EUR: 2, KWD: 3 }))
    await fc.assert(
      fc.asyncProperty(currency, fc.bigInt({ min: 1n, max: 10n ** 14n }), async ([code, digits], cents) => {
        const amount = decimal(cents, digits)
        const known = { amount, cents: inCents({ amount, currency: code }) }
        await requestOf({ url: server.url, body }, 'k', known)
        await requestOf({ url: server.url, body, numericAmounts: true }, 'k', known)
        const [texts, numbers] = heard.slice(-2)
        expect(texts).to.equal(`{"text":"${amount}","number":"${amount}","cents":"${cents}"}`)
        const [, number, whole] = /"number":([\d.]+),"cents":(\d+)/.exec(numbers!)!
        expect(whole).to.equal(String(cents))
        expect(padded(number!, digits)).to.equal(amount)
      }),
      { numRuns: 60 },
    )
    await server.close()
  })

  it('is told by the doctor: what is not set, and that it is off', async () => {
    expect((await checkApi(recording({}))).problems).to.deep.equal([
      'payments.record: {env NO_SUCH_ADDRESS} is not set: set it here, and where the portal runs',
      'payments.record: {env NO_SUCH_ACCOUNT} is not set: set it here, and where the portal runs',
    ])
    expect(await checkApi(recording({ off: true }))).to.deep.equal({
      label: 'no API of the CRM is named',
      problems: [],
      notes: [
        'payments.record is off: set {env NO_SUCH_ADDRESS}, {env NO_SUCH_ACCOUNT}, or staff enter payments in the CRM themselves',
      ],
    })
  })

  it('that is written wrongly is said', () => {
    expect(shapeProblems(recording({}))).to.deep.equal([])
    expect(shapeProblems(recording({ set: { amount: 'amount' } } as never))).to.deep.equal([
      'payments.record.set: no such entry',
    ])
    expect(shapeProblems(recording({ share: {} } as never))).to.deep.equal([
      'payments.record.share: must be a function',
    ])
  })
})

/** A whole number of the smallest unit, in the major one. */
function decimal(cents: bigint, digits: number): string {
  const text = String(cents).padStart(digits + 1, '0')
  return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text
}

/** JSON leaves out zeros at the end. */
const padded = (number: string, digits: number) => {
  const [whole = '', part = ''] = number.split('.')
  return digits ? `${whole}.${part.padEnd(digits, '0')}` : whole
}
