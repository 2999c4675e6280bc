import type { Vocabulary } from './kind.ts'

export const ledgerline: Vocabulary = {
  taxes: ['20', '0'],
  groups: {
    'Year end': [
      ['Statutory accounts', 'Prepared under FRS 102 and filed', 'fixed', '1850.00'],
      ['Corporation tax return', 'CT600 with computations', 'fixed', '620.00'],
      ['Review of year-end stock', null, 'hours', '110.00'],
      ['Companies House filing fee', 'Passed on at cost', 'pieces', '34.00', 1],
    ],
    Bookkeeping: [
      ['Monthly bookkeeping', 'Bank, sales and purchase ledgers', 'months', '290.00'],
      ['VAT return', 'Digital submission, quarterly', 'quarters', '145.00'],
      ['Receipts entered', null, 'pieces', '0.4500'],
      ['Catch-up of earlier months', null, 'hours', '62.50'],
    ],
    Payroll: [
      ['Payroll run', 'Payslips, submissions and pension file', 'employees', '6.7500'],
      ['Auto-enrolment set-up', null, 'fixed', '240.00'],
      ['P11D forms', null, 'pieces', '28.00'],
    ],
    Advice: [
      ['Tax planning meeting', 'With written summary', 'hours', '165.00'],
      ['Cash-flow forecast, 12 months', null, 'fixed', '950.00'],
      ['Research and development claim', 'Technical report included', 'fixed', '3400.00'],
      ['Personal tax return of a director', null, 'pieces', '275.00'],
    ],
  },
  invoices: [
    ['Bookkeeping', 'Bookkeeping and VAT, {month}'],
    ['Payroll', 'Payroll, {month}'],
    ['Year end', 'Accounts for the year to March {year}'],
    ['Year end', 'Corporation tax return {year}'],
    ['Advice', 'Advice on the new premises'],
    ['Advice', 'Directors’ personal tax returns {year}'],
    ['Bookkeeping', 'Quarterly management accounts to {month}'],
    ['Advice', 'Enquiry from the tax office: correspondence'],
  ],
  proposals: [
    'Engagement for the year {year}',
    'Bookkeeping taken over from {month}',
    'Payroll for a growing team',
    'Research and development claim {year}',
    'Management accounts every quarter',
    'Succession: preparing the sale of shares',
  ],
  quotations: [
    ['Bookkeeping', 'VAT registration'],
    ['Year end', 'Confirmation statement and register'],
    ['Bookkeeping', 'Catch-up bookkeeping, six months'],
    ['Year end', 'Company secretarial package'],
    ['Year end', 'Charity accounts, independent examination'],
  ],
  greetings: [
    'Following our meeting we set out below the work, the fee and what we would need from you.',
    'We have kept last year’s fee where the work is the same, and say so where it is not.',
  ],
  terms: [
    'Fees are fixed for twelve months. Disbursements are passed on at cost. Our standard terms of engagement apply.',
    'Payable by monthly direct debit. Either side may end the engagement with one month’s notice.',
  ],
  projects: [
    ['Year end {year}', 'Records received', 'Draft accounts', 'Review', 'Filed'],
    ['Move to cloud bookkeeping', 'Chart of accounts', 'Opening balances', 'Training'],
  ],
  tasks: ['Reconcile the bank', 'Chase missing invoices', 'Draft the computations', 'File the VAT return'],
  requests: [
    'Upload the bank statements of the last quarter',
    'Approve the draft accounts',
    'Tell us the mileage of the company van',
    'Sign the letter of authority',
  ],
  tickets: [
    ['Letter from HMRC', 'This arrived today, what should we answer?'],
    ['New starter in payroll', 'Starts on Monday, four days a week.'],
    ['Which VAT rate for gift vouchers?', 'We want to sell them before Christmas.'],
  ],
  documents: [
    ['Accounts', 'Statutory accounts.pdf', 'application/pdf'],
    ['Accounts', 'Trial balance.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['Tax', 'Tax computation.pdf', 'application/pdf'],
    ['Payroll', 'Payroll summary.csv', 'text/csv'],
    ['Letters', 'Letter of engagement.pdf', 'application/pdf'],
  ],
  comments: [
    'Does this include the meeting with the bank?',
    'We found two more invoices from April, sorry.',
    'Fine by us. Please go ahead.',
  ],
}
