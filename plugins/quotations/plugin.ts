import { offerSection } from '../../src/offer/section.ts'

export default offerSection({
  name: 'quotations',
  title: 'Quotations',
  icon: 'receipt',
  order: 15,
  see: 'See quotations',
  answer: 'Accept and decline quotations',
  comment: 'Ask about quotations',
  accepting: 'Accept and sign quotations',
  toggle: {
    label: 'Quotations',
    about: 'Clients see what you quoted to them, with its state and total.',
  },
  answering: {
    label: 'Answering quotations',
    about: 'Clients accept and sign quotations here, or decline them. Switched off, they can only read.',
  },
  quantities: {
    label: 'Quantities in quotations',
    about: 'Clients choose how much they want of what is optional, and not only whether.',
  },
  parts: {
    label: 'Accepting a part of quotations',
    about: 'Clients leave out lines that are no option, and accept the rest, where your CRM can take that.',
  },
  questions: {
    label: 'Questions on quotations',
    about: 'Clients ask about quotations or one of their lines, and you answer in these settings.',
  },
  reminders: {
    label: 'Reminders of quotations',
    about: 'Who may answer gets a mail before a quotation expires, when it is set under Reminders.',
    withoutMail: 'No mail is set up, so nobody is reminded.',
  },
  links: {
    label: 'Links to one quotation',
    about:
      'You give somebody a link to a quotation, which needs no account. Who signs by it gets a code in their mail first.',
    withoutMail: 'You give somebody a link to a quotation, which needs no account. They can read it, and not sign.',
  },
  activity: {
    viewed: { kind: 'view', says: 'looked at quotation {number}' },
    downloaded: { kind: 'download', says: 'downloaded quotation {number}' },
    took: { kind: 'download', says: 'downloaded “{file}” of quotation {number}' },
    accepted: 'accepted quotation {number}, version {version}',
    declined: 'declined quotation {number}, version {version}: {reason}',
    commented: 'asked about quotation {number}',
    replied: 'answered a question on quotation {number}',
    countersigned: 'countersigned quotation {number}, version {version}',
    asked: 'asked for the acceptance of quotation {number}',
    reminded: 'reminded {count, plural, one {# person} other {# people}} of quotation {number}, version {version}',
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
    back: t('Back to the quotation'),
    decline: t('Decline this quotation'),
    numbered: number => t('Quotation {number}', { number }),
    held: (number, day) => t('Quotation {number} · the price holds until {day}', { number, day }),
  }),
})
