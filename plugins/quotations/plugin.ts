import { offerSection } from '../../src/offer/section.ts'

export default offerSection({
  name: 'quotations',
  title: 'Quotations',
  icon: 'receipt',
  order: 15,
  see: 'See quotations',
  toggle: {
    label: 'Quotations',
    about: 'Clients see what you quoted to them, with its state and total.',
  },
  activity: {
    viewed: 'looked at quotation {number}',
    downloaded: 'downloaded quotation {number}',
  },
  says: ({ t, workspace }) => ({
    one: t('Quotation'),
    many: t('Quotations'),
    search: t('Search quotations'),
    filter: t('Filter quotations'),
    noneFits: t('No quotation fits this'),
    all: t('Show all quotations'),
    none: t('No quotations yet'),
    withdrawn: t('{workspace} has withdrawn this quotation.', { workspace: workspace.name }),
    answer: t('Answer quotations'),
    numbered: number => t('Quotation {number}', { number }),
    held: (number, day) => t('Quotation {number} · the price holds until {day}', { number, day }),
  }),
})
