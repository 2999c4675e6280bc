import { offerSection } from '../../src/offer/section.ts'

export default offerSection({
  name: 'proposals',
  title: 'Proposals',
  icon: 'file-text',
  order: 10,
  see: 'See proposals',
  answer: 'Accept and decline proposals',
  comment: 'Ask about proposals',
  accepting: 'Accept and sign proposals',
  toggle: {
    label: 'Proposals',
    about: 'Clients see what you proposed to them, with its state and total.',
  },
  answering: {
    label: 'Answering proposals',
    about: 'Clients accept and sign proposals here, or decline them. Switched off, they can only read.',
  },
  quantities: {
    label: 'Quantities in proposals',
    about: 'Clients choose how much they want of what is optional, and not only whether.',
  },
  parts: {
    label: 'Accepting a part of proposals',
    about: 'Clients leave out lines that are no option, and accept the rest, where your CRM can take that.',
  },
  questions: {
    label: 'Questions on proposals',
    about: 'Clients ask about proposals or one of their lines, and you answer in these settings.',
  },
  reminders: {
    label: 'Reminders of proposals',
    about: 'Who may answer gets a mail before a proposal expires, when it is set under Reminders.',
    withoutMail: 'No mail is set up, so nobody is reminded.',
  },
  links: {
    label: 'Links to one proposal',
    about:
      'You give somebody a link to a proposal, which needs no account. Who signs by it gets a code in their mail first.',
    withoutMail: 'You give somebody a link to a proposal, which needs no account. They can read it, and not sign.',
  },
  activity: {
    viewed: { kind: 'view', says: 'looked at proposal {number}' },
    downloaded: { kind: 'download', says: 'downloaded proposal {number}' },
    took: { kind: 'download', says: 'downloaded “{file}” of proposal {number}' },
    accepted: 'accepted proposal {number}, version {version}',
    declined: 'declined proposal {number}, version {version}: {reason}',
    commented: 'asked about proposal {number}',
    replied: 'answered a question on proposal {number}',
    countersigned: 'countersigned proposal {number}, version {version}',
    asked: 'asked for the acceptance of proposal {number}',
    reminded: 'reminded {count, plural, one {# person} other {# people}} of proposal {number}, version {version}',
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
    back: t('Back to the proposal'),
    decline: t('Decline this proposal'),
    numbered: number => t('Proposal {number}', { number }),
    held: (number, day) => t('Proposal {number} · the price holds until {day}', { number, day }),
  }),
})
