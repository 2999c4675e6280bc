/**
 * The questions, in the order of the report: what each is about, what Portico's core adds where the answer is no (other
 * parts come from the plugins that are installed), and what becomes of it where the answer is yes.
 */
export const questionnaire = [
  q(
    'A1',
    'client sign-in',
    'Is there a client login?',
    'sign-in',
    'your own sign-in stays on your own pages; an identity port of the adapter can check its passwords for the portal',
  ),
  q(
    'A2',
    'client users',
    'Are clients a separate user type?',
    "client users (Portico's own, always)",
    'your client people can be invited to the portal',
  ),
  q(
    'A3',
    'storage for client access',
    'Is there a client-portal table or field?',
    "Portico's tables for users, sessions and settings",
    'what it stores is neither copied nor changed',
  ),
  q(
    'A4',
    'client passwords or codes',
    'Can a client sign in by password or OTP?',
    'sign-in by password and by one-time code',
    'client passwords can be checked through the identity port, and are never copied',
  ),
  q('B1', 'proposals', 'Can clients view proposals?', undefined, 'your own proposal pages stay'),
  q('B2', 'quotations', 'Can clients view quotations?', undefined, 'your own quotation pages stay'),
  q('B3', 'invoices', 'Can clients view invoices?', undefined, 'your own invoice pages stay'),
  q('B4', 'acceptance', 'Can clients approve or sign digitally?', undefined, 'your own acceptance stays'),
  q('B5', 'payment by clients', 'Are there payment options for clients?', undefined, 'your own payment pages stay'),
  q('B6', 'tasks for clients', 'Do clients see tasks assigned to them?', undefined, 'your own task pages stay'),
  q('B7', 'files for clients', 'Are files or documents shared with clients?', undefined, 'your own file pages stay'),
  q('B8', 'messages', 'Can clients message or comment?', undefined, 'your own messages stay'),
  q('C1', 'public proposal page', 'Is there a public proposal view?', undefined, 'your own public proposal page stays'),
  q(
    'C2',
    'public quotation page',
    'Is there a public quotation view?',
    undefined,
    'your own public quotation page stays',
  ),
  q('C3', 'public invoice page', 'Is there a public invoice view?', undefined, 'your own public invoice page stays'),
  q(
    'C4',
    'acceptance by a public link',
    'Is there an acceptance workflow?',
    undefined,
    'your own acceptance workflow stays',
  ),
  q(
    'D1',
    'client authentication',
    'Is there client authentication on the server?',
    'sessions of clients',
    'your own guard stays on your own pages; the portal has its own sessions',
  ),
  q(
    'D2',
    'tokens for clients',
    'Are tokens generated for clients?',
    'hashed, expiring tokens',
    'your own tokens keep working on your own pages',
  ),
  q(
    'D3',
    'separation of workspaces',
    'Are client look-ups workspace-aware?',
    'one workspace, which the map names',
    'the adapter binds every query to the workspace',
  ),
  q(
    'D4',
    'permissions on documents',
    'Are there permissions for proposals, quotations and invoices?',
    'ownership checks: every query is bound to one client',
    'your own checks stay on your own pages; the portal has its own',
  ),
  q(
    'D5',
    'payment gateway',
    'Is a payment integration there, even a placeholder?',
    undefined,
    'your own gateway stays the way to pay',
  ),
  q(
    'E1',
    '/client area',
    'Is there a /client area?',
    'the pages of the portal',
    'your own client pages stay where they are',
  ),
  q(
    'E2',
    '/portal area',
    'Is there a /portal area?',
    'the pages of the portal',
    'your own portal stays; mount Portico under another path',
  ),
  q('E3', '/public/proposal page', 'Is there a page /public/proposal/…?', undefined, 'your own public page stays'),
  q('E4', '/public/invoice page', 'Is there a page /public/invoice/…?', undefined, 'your own public page stays'),
  q(
    'F1',
    'control by the admin',
    'Does the admin control what clients see?',
    'the settings of the workspace',
    'your own switches keep ruling your own pages',
  ),
  q('F2', 'comments by clients', 'May clients leave comments?', undefined, 'your own comments stay'),
  q(
    'F3',
    'log of client activity',
    'Is client activity logged?',
    "the activity log (Portico's own, always)",
    'your own log goes on for your own pages',
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

/** What a question is about, in a word or two. */
export const topicOf = (id: QuestionId): string => questionnaire.find(it => it.id === id)!.topic

function q<Id extends string>(id: Id, topic: string, question: string, part: string | undefined, existing: string) {
  return { id, topic, question, part, existing }
}
