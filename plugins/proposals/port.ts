import type { Offers } from '../_offers/port.ts'

declare global {
  namespace Portico {
    interface Ports {
      proposals: Offers
    }
  }
}

export type { Offer, Offers, Overview, Summary } from '../_offers/port.ts'
