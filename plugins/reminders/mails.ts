import { itemsIn } from '../../src/mail/items.ts'
import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

const account = 'https://crm.example/portal/acme/account'

const owed: Facts = {
  ...{ client: 'Acme', count: 2, number: '2026-0112', day: 'Tuesday 24 November', total: '€4,053.50', account },
  items:
    '2026-0112\n€3,872.00 · 24 Nov 2026\nhttps://crm.example/portal/acme/invoices/112\n\n' +
    '2026-0119\n€181.50 · 24 Nov 2026\nhttps://crm.example/portal/acme/invoices/119',
}

const toDo: Facts = {
  ...{ client: 'Acme', count: 2, what: 'Year-end 2026', day: 'Friday 27 November', account },
  items: `Opening hours\n24 Nov 2026\nhttps://crm.example/portal/acme/tasks/31\n
Year-end 2026\n27 Nov 2026\nhttps://crm.example/portal/acme/requests/12`,
}

export const mails: Record<string, Mail> = {
  'reminders.expiry': {
    label: 'Before an offer expires',
    facts: {
      ...{ number: 'P-2026-031', what: 'Relaunch', total: '€16,736.72', client: 'Acme', day: 'Tuesday 24 November' },
      account,
    },
    words: (t, it) => ({
      subject: t('{number}: please answer by {day}', it),
      paragraphs: [
        t(
          '{number}, “{what}”, from {workspace} for {client} is waiting for your answer. The price of {total} holds until the end of {day}.',
          it,
        ),
      ],
      action: t('Review'),
      details: [
        [t('Document'), String(it.number)],
        [t('Title'), String(it.what)],
        [t('Total'), String(it.total)],
        [t('Price holds until'), String(it.day)],
      ],
      after: [t('Nothing is accepted until you read and sign it.')],
      why: t('You get this because you can accept or decline it. Change or stop reminders: {account}', it),
    }),
  },
  'reminders.due': {
    label: 'Before a payment is due',
    facts: owed,
    words: (t, it) => ({
      subject: isOne(it) ? t('{number} is due on {day}', it) : t('{count} payments are due soon: {total}', it),
      paragraphs: [
        isOne(it)
          ? t('{number} from {workspace} for {client} is due on {day}. There is {total} left to pay.', it)
          : t('{count} payments to {workspace} for {client} are due soon. There is {total} left to pay.', it),
      ],
      ...rest(t, it),
    }),
  },
  'reminders.overdue': {
    label: 'When a payment is overdue',
    facts: owed,
    words: (t, it) => ({
      subject: isOne(it)
        ? t('{number} is overdue: {total}', it)
        : t('{count} payments are due or overdue: {total}', it),
      paragraphs: [
        isOne(it)
          ? t('{number} from {workspace} for {client} was due on {day}. There is {total} left to pay.', it)
          : t('{count} payments to {workspace} for {client} are due or overdue. There is {total} left to pay.', it),
        t('If you have already paid, you don’t have to do anything.'),
      ],
      ...rest(t, it),
    }),
  },
  'reminders.work': {
    label: 'Before a task or a request is due',
    facts: toDo,
    words: (t, it) => ({
      subject: isOne(it) ? t('{what} is due on {day}', it) : t('{count} things are due by {day}', it),
      paragraphs: [
        isOne(it)
          ? t('{workspace} is waiting for this from {client}. It is due on {day}.', it)
          : t('{workspace} is waiting for these from {client}. The last of them is due on {day}.', it),
      ],
      ...whatToDo(t, it),
    }),
  },
  'reminders.work-overdue': {
    label: 'When a task or a request is overdue',
    facts: toDo,
    words: (t, it) => ({
      subject: isOne(it) ? t('{what} was due on {day}', it) : t('{count} things are due or overdue', it),
      paragraphs: [
        isOne(it)
          ? t('{workspace} is waiting for this from {client}. It was due on {day}.', it)
          : t('{workspace} is waiting for these from {client}.', it),
      ],
      ...whatToDo(t, it),
    }),
  },
}

const isOne = ({ count }: Facts) => count === 1

/** What both mails about payments have. `pays` is no placeholder: some can only look. */
const rest = (t: Speech['t'], it: Facts) => ({
  items: itemsIn(String(it.items)),
  action: it.pays ? t('Pay now') : t('See what is due'),
  after: [],
  why: t('You get this because you can pay for {client}. Change or stop reminders: {account}', it),
})

const whatToDo = (t: Speech['t'], it: Facts) => ({
  items: itemsIn(String(it.items)),
  action: t('See what is due'),
  after: [],
  why: t('You get this because you can do it for {client}. Change or stop reminders: {account}', it),
})
