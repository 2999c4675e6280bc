import { itemsIn } from '../../src/mail/items.ts'
import type { Mail } from '../../src/mail/kinds.ts'

export const mails: Record<string, Mail> = {
  'tasks.assigned': {
    label: 'A new task',
    facts: {
      ...{ staff: 'Tomás Ferreira', name: 'Year-end 2026', day: 'Friday 11 December' },
      items: `Year-end 2026\nAll accounts as PDF\n–`,
    },
    words: (t, it) => ({
      subject: t('{workspace} has a task for you: {name}', it),
      paragraphs: [t('{staff} of {workspace} asks you to do this:', it)],
      items: itemsIn(String(it.items)),
      details: it.day ? [[t('Due'), String(it.day)]] : [],
      action: t('View task'),
      after: [],
      why: t('You get this because you can complete tasks for your company.'),
    }),
  },
}
