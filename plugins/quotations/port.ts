import type { Offers } from '../../src/offer/port.ts'

declare global {
  namespace Portico {
    interface Ports {
      quotations: Offers
    }
  }
}

export type { Offer, Offers, Overview, Summary } from '../../src/offer/port.ts'
