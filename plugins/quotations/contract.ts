import type { Actors } from '../../src/crm/contract.ts'
import { offersContract } from '../_offers/contract.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has several quotations, some open, and `theirs` has one. */
export const quotationsContract = (actors: () => Promise<Actors>) => offersContract('quotations', actors)
