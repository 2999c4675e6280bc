import { mappedOffers } from '../_offers/mapped.ts'

export default mappedOffers('proposals')
