import type { Offers } from '../../src/offer/port.ts'

declare module '../../src/crm.ts' {
  interface Ports {
    proposals: Offers
  }
}

export type { Offer, Offers, Overview, Summary } from '../../src/offer/port.ts'
