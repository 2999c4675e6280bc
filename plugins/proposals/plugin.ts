import { defineOffer } from '../_offers/define.ts'

export default defineOffer({
  name: 'proposals',
  one: 'proposal',
  icon: 'file-text',
  order: 10,
  question: 'B1',
})
