import { offerSection } from '../../src/offer/section.ts'

export default offerSection({
  name: 'proposals',
  title: 'Proposals',
  icon: 'file-text',
  order: 10,
  see: 'See proposals',
  toggle: {
    label: 'Proposals',
    about: 'Clients see what you proposed to them, with its state and total.',
  },
  activity: {
    viewed: 'looked at proposal {number}',
    downloaded: 'downloaded proposal {number}',
  },
  says: ({ t, workspace }) => ({
    one: t('Proposal'),
    many: t('Proposals'),
    search: t('Search proposals'),
    filter: t('Filter proposals'),
    noneFits: t('No proposal fits this'),
    all: t('Show all proposals'),
    none: t('No proposals yet'),
    withdrawn: t('{workspace} has withdrawn this proposal.', { workspace: workspace.name }),
    answer: t('Answer proposals'),
    numbered: number => t('Proposal {number}', { number }),
    held: (number, day) => t('Proposal {number} · the price holds until {day}', { number, day }),
  }),
})
