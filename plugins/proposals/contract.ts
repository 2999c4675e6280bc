import type { Actors } from '../../src/crm/contract.ts'
import { offersContract } from '../_offers/contract.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has several proposals, some open, and `theirs` has one. */
export const proposalsContract = (actors: () => Promise<Actors>) => offersContract('proposals', actors)
