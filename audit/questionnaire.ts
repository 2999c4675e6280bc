/** The questions, in the order of the report, with what of Portico hangs on each. */
export const questionnaire = [
  q('A1', 'Is there a client login?', 'sign-in', 'its own sign-in is kept and checked through the identity port'),
  q(
    'A2',
    'Are clients a separate user type?',
    "client users (Portico's own, always)",
    'its client people are offered for invitation',
  ),
  q(
    'A3',
    'Is there a client-portal table or field?',
    "Portico's tables for users, sessions, settings",
    'what it stores is read and never copied',
  ),
  q(
    'A4',
    'Can a client sign in by password or OTP?',
    'sign-in by password and by one-time code',
    'its client passwords are verified through the identity port and never copied',
  ),
  q('B1', 'Can clients view proposals?', 'the section proposals', 'the navigation leads to its own proposal pages'),
  q('B2', 'Can clients view quotations?', 'the section quotations', 'the navigation leads to its own quotation pages'),
  q('B3', 'Can clients view invoices?', 'the section invoices', 'the navigation leads to its own invoice pages'),
  q(
    'B4',
    'Can clients approve or sign digitally?',
    'acceptance with signature and evidence',
    'its acceptance is kept; Portico links to it',
  ),
  q(
    'B5',
    'Are there payment options for clients?',
    'payment of invoices',
    'its payment page is kept; Portico links to it',
  ),
  q('B6', 'Do clients see tasks assigned to them?', 'the section tasks', 'the navigation leads to its own task pages'),
  q(
    'B7',
    'Are files or documents shared with clients?',
    'the section documents',
    'the navigation leads to its own documents',
  ),
  q('B8', 'Can clients message or comment?', 'the section messages', 'the navigation leads to its own messages'),
  q('C1', 'Is there a public proposal view?', 'public links to proposals', 'its public proposal page is kept'),
  q('C2', 'Is there a public quotation view?', 'public links to quotations', 'its public quotation page is kept'),
  q('C3', 'Is there a public invoice view?', 'public links to invoices', 'its public invoice page is kept'),
  q('C4', 'Is there an acceptance workflow?', 'acceptance from a public link', 'its acceptance workflow is kept'),
  q(
    'D1',
    'Is there client authentication on the server?',
    'authentication of client requests',
    'its guard stays on its own pages; Portico has its own sessions',
  ),
  q(
    'D2',
    'Are tokens generated for clients?',
    'hashed, expiring tokens for links',
    'its tokens keep working on its own pages',
  ),
  q(
    'D3',
    'Are client look-ups workspace-aware?',
    'the adapter names one workspace',
    'the adapter binds every query to the tenant',
  ),
  q(
    'D4',
    'Are there permissions for proposals, quotations and invoices?',
    'ownership checks, in ports bound to one client',
    'its checks stay on its own pages; ports are bound to one client all the same',
  ),
  q(
    'D5',
    'Is a payment integration there, even a placeholder?',
    'the payment provider interface with a placeholder',
    'its gateway stays the way to pay',
  ),
  q('E1', 'Is there a /client area?', 'the pages of the portal', 'its client pages stay where they are'),
  q(
    'E2',
    'Is there a /portal area?',
    'the pages under /portal',
    'its portal stays; Portico is mounted under another path',
  ),
  q(
    'E3',
    'Is there a page /public/proposal/…?',
    'a public page for proposals and quotations',
    'its public page is kept',
  ),
  q('E4', 'Is there a page /public/invoice/…?', 'a public page for invoices', 'its public page is kept'),
  q(
    'F1',
    'Does the admin control what clients see?',
    'the settings of the workspace',
    'its switches keep ruling its own pages',
  ),
  q('F2', 'May clients leave comments?', 'comments on documents', 'its comments are kept'),
  q(
    'F3',
    'Is client activity logged?',
    "the activity log (Portico's own, always)",
    'its log goes on for its own pages',
  ),
] as const

export type QuestionId = (typeof questionnaire)[number]['id']

export const groups = {
  A: 'Credentials and access',
  B: 'Client views',
  C: 'Public pages',
  D: 'Backend',
  E: 'Front-end pages',
  F: 'Permissions and limits',
} as const

function q<Id extends string>(id: Id, question: string, part: string, kept: string) {
  return { id, question, part, kept }
}
