import { mappedOffers } from '../../src/offer/map.ts'

export default mappedOffers('quotations')
