import { defineOffer } from '../_offers/define.ts'

export default defineOffer({
  name: 'quotations',
  one: 'quotation',
  icon: 'receipt',
  order: 15,
  question: 'B2',
})
