import { itemsIn } from '../../src/mail/items.ts'
import type { Mail } from '../../src/mail/kinds.ts'

export const mails: Record<string, Mail> = {
  'tasks.assigned': {
    label: 'A new task',
    facts: {
      ...{ staff: 'Tomás Ferreira', title: 'Send the opening hours', day: 'Friday 11 December' },
      items: 'Send the opening hours\nOf all five shops\n–',
    },
    words: (t, it) => ({
      subject: t('{workspace} has a task for you: {title}', it),
      paragraphs: [t('{staff} of {workspace} asks you to do this:', it)],
      items: itemsIn(String(it.items)),
      details: it.day ? [[t('Due'), String(it.day)]] : [],
      action: t('View task'),
      after: [],
      why: t('You get this because you can complete tasks for your company.'),
    }),
  },
}
