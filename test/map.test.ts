import { map } from '../demo/adapter/map.ts'
import { invoicesContract } from '../plugins/invoices/contract.ts'
import { paymentsContract } from '../plugins/payments/contract.ts'
import { proposalsContract } from '../plugins/proposals/contract.ts'
import { quotationsContract } from '../plugins/quotations/contract.ts'
import { adapterOf } from '../src/index.ts'
import { actors } from './actors.ts'
import { leave } from './visit.ts'

describe('the demo CRM by a map', () => {
  afterEach(leave)

  const mapped = () => actors(database => adapterOf(map, database))
  invoicesContract(mapped)
  paymentsContract(mapped)
  proposalsContract(mapped)
  quotationsContract(mapped)
})
