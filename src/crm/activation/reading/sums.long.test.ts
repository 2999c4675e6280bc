import { expect } from 'chai'
import { map as right } from '../../../../demo/adapter/map.ts'
import { type Copy, fresh } from '../../../../test/database.ts'
import { sections } from '../../../plugin/discover.ts'
import type { CrmMap } from '../../mapping/map.ts'
import { formatChecks } from '../checks.ts'
import { openRows } from './rows.ts'
import { sampleOf } from './sample.ts'
import { checkSums } from './sums.ts'
import { checkValues } from './values.ts'

type Invoices = NonNullable<CrmMap['invoices']>
type Offers = NonNullable<CrmMap['proposals']>

describe('documents that a map reads', function () {
  this.timeout(60_000)
  let copy: Copy
  before(async () => {
    copy = await fresh()
  })

  /** What doctor says of the demo's map with one fault in it. The owner may read what the fault reads. */
  async function say(fault: Partial<CrmMap>) {
    const rows = await openRows({ ...right, ...fault }, copy.owner, sections)
    const checks = [await checkValues(rows), await checkSums(rows, await sampleOf(rows))]
    return { text: formatChecks(checks), good: checks.every(it => !it.problems.length) }
  }
  const invoices = (it: Partial<Invoices>) => ({ invoices: { ...right.invoices!, ...it } })
  const proposals = (it: Partial<Offers>) => ({ proposals: { ...right.proposals!, ...it } })
  const invoiceLines = (it: object) => invoices({ lines: { ...right.invoices!.lines!, ...it } })

  it('add up by the right map', async () => {
    const { text, good } = await say({})
    expect(good, text).to.equal(true)
    expect(text).to.match(/✓ documents add up: \d+ proposals, \d+ quotations, \d+ invoices/)
  })

  const faults: [what: string, fault: () => Partial<CrmMap>, said: RegExp][] = [
    ['the total without tax', () => invoices({ total: 'net_total' }), /payments of \S+ and what is due differ/],
    [
      'a total that is nearly always zero',
      () => invoices({ total: 'amount_credited' }),
      /total of \S+ is 0, its lines/,
    ],
    ['the net amount with tax', () => invoices({ net: 'grand_total' }), /lines of \S+ come to [\d.]+, its net is/],
    ['the tax as net amount', () => invoices({ net: 'tax_total' }), /tax of \S+ is [\d.]+ on/],
    ['more net than total', () => proposals({ net: 'grand_total', total: 'net_total' }), /tax of \S+ is -/],
    [
      'the tax as net amount of a proposal',
      () => proposals({ net: 'tax_total' }),
      /proposals: \d+ of \d+.*(its net is|tax of)/,
    ],
    ['the price of one as total of a line', () => invoiceLines({ total: 'unit_price' }), /lines of \S+ come to/],
    [
      'what was paid as what is due',
      () => invoices({ balance: 'amount_paid' }),
      /payments of \S+ and what is due differ/,
    ],
    ['the total as what is due', () => invoices({ balance: 'grand_total' }), /payments of \S+ and what is due differ/],
    [
      'the days the wrong way round',
      () => invoices({ sentOn: 'due_on', dueOn: 'issued_on' }),
      /was sent on .* for what comes later/,
    ],
    [
      'an end of validity before its beginning',
      () => proposals({ sentOn: 'valid_until', validUntil: 'issued_on' }),
      /was sent on/,
    ],
    [
      'one currency for all',
      () => invoices({ currency: { value: 'EUR' } }),
      /told to be in EUR, and invoices has currency_code/,
    ],
    [
      'drafts among what clients see',
      () => proposals({ status: { ...right.proposals!.status, draft: [] } }),
      /does not list "draft"/,
    ],
    [
      'a status that nobody listed',
      () =>
        invoices({
          status: { column: 'state', words: { sent: 'open', paid: 'paid', void: 'cancelled' }, draft: ['draft'] },
        }),
      /does not list "partial"/,
    ],
  ]
  for (const [what, fault, said] of faults)
    it(`are refused with numbers and examples where a map takes ${what}`, async () => {
      const { text, good } = await say(fault())
      expect(good, text).to.equal(false)
      expect(text).to.match(said)
    })

  it('may break a rule that the map names with a reason, and only then', async () => {
    const wrong = { net: 'grand_total', exceptions: { lines: 'net amounts are not kept' } }
    const { text } = await say(invoices(wrong))
    expect(text).to.match(/✓ documents add up.*\n {4}note: invoices: .*The map says why: net amounts are not kept/)
    const needless = await say(invoices({ exceptions: { dates: 'sent later' } }))
    expect(needless.text).to.include('invoices.exceptions.dates: no exception was found: take it out of the map')
  })

  it('may keep the exception when it has become rare', async () => {
    await copy
      .owner('proposals')
      .where({ ref_no: 'P-2026-031', client_id: 1 })
      .update({ valid_until: copy.owner.raw("issued_on - interval '1 day'") })
    const { text, good } = await say(proposals({ exceptions: { dates: 'extended by telephone' } }))
    expect(good, text).to.equal(true)
  })
})
