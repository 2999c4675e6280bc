import { z } from 'zod'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { ownRecords } from '../../src/settings/own-records.ts'
import { besideCrm } from './beside.ts'
import { showDesk, showOne } from './desk.ts'
import { saveTask, saveWithdrawal } from './desk-changes.ts'
import { saveNew, showNew } from './desk-new.ts'
import { home } from './home.ts'
import { mails } from './mails.ts'
import * as pages from './pages.ts'
import { Counts, Summary, states, Task, type Tasks } from './port.ts'
import { storeOf } from './store.ts'
import { recordOf, subject } from './subject.ts'

/** What the company asks of its client: the CRM's tasks, or those in Portico's own tables. */
export default section({
  name: 'tasks',
  title: 'Tasks',
  icon: 'list-check',
  order: 45,
  mails,
  notifications: {
    'tasks.assigned': {
      label: 'New tasks',
      group: 'work',
      sentence: '{staff} gave you a task: {name}',
      about: '{due, select, 1 {Due {day}} other {No due date}}',
      example: { staff: 'Marta Lindqvist', name: 'Check the cookie texts', due: 1, day: { day: '2026-12-15' } },
      mail: 'tasks.assigned',
    },
    'tasks.given': {
      label: 'New tasks',
      group: 'work',
      sentence: 'New task: {name}',
      about: '{due, select, 1 {Due {day}} other {No due date}}',
      example: { name: 'Check the cookie texts', due: 1, day: { day: '2026-12-15' } },
      chosenWith: 'tasks.assigned',
    },
  },
  live: true,
  home,
  waiting: async ({ crm, may }) => (may('tasks.complete') ? (await crm.tasks.overview()).mine : 0),
  store: (customer, database) => storeOf(customer, database),
  beside: (port, customer, database) => besideCrm(port as Tasks, customer, database),

  permissions: {
    'tasks.see': { label: 'See tasks', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'tasks.complete': { label: 'Complete tasks', roles: ['admin', 'approver', 'billing', 'member'] },
    'tasks.comment': { label: 'Ask about tasks', roles: ['admin', 'approver', 'billing', 'member'] },
  },

  toggles: {
    tasks: {
      label: 'Tasks',
      about: 'Clients see what you need from them, and say when it is done.',
      default: true,
    },
  },

  subject,
  with: {
    comments: {
      toggles: {
        'tasks.questions': {
          label: 'Questions on tasks',
          about: 'Clients ask about a task and attach files, and you answer them there.',
          default: true,
        },
      },
      activity: {
        'tasks.commented': 'asked about the task {number}',
        'tasks.replied': 'answered a question about the task {number}',
      },
    },
    reminders: {
      toggles: {
        'tasks.reminders': {
          label: 'Reminders of tasks',
          about: 'People who can complete a task get an e-mail before it is due, as set under Reminders.',
          withoutMail: 'E-mail isn’t set up, so nobody is reminded.',
          default: true,
        },
      },
      activity: {
        'tasks.reminded': 'reminded {count, plural, one {# person} other {# people}} of the task {number}',
      },
    },
  },

  responseSchemas: {
    'tasks/list': pageOf(Summary).extend({
      ...{ overview: Counts, found: Counts.optional(), doneToday: z.array(Summary) },
    }),
    'tasks/board': z.object({
      columns: z.array(z.object({ state: z.enum([...states, 'other']), items: z.array(Summary) })),
      overview: Counts,
      more: z.boolean(),
    }),
    'tasks/show': z.object({ task: Task }),
  },
  requestSchemas: {
    'tasks/list': pages.Filter,
    'tasks/completion': pages.Completing,
    'tasks/removal': pages.Returning,
    'tasks/column': pages.Moving,
    'tasks/checklist': pages.Ticking,
  },

  activity: {
    'tasks.assigned': 'gave the client the task {number}',
    'tasks.changed': 'changed the task {number}',
    'tasks.withdrawn': 'withdrew the task {number}',
    'tasks.completed': { kind: 'change', sentence: 'completed the task {number}', weekly: 'Completed tasks' },
    'tasks.reopened': 'reopened the task {number}',
    'tasks.moved': 'moved the task {number} to {column, select, doing {In progress} other {To do}}',
    'tasks.ticked': '{done, select, on {ticked} other {took the tick from}} “{item}” in the task {number}',
  },

  audit: { question: 'B6', adds: 'tasks for clients, which they complete in the portal' },

  routes(router, host) {
    router.get('/', may('tasks.see'), pages.showList)
    router.get('/:id', may('tasks.see'), pages.showTask)
    const again = showAgainOnError(pages.showTask)
    router.post('/:id/completion', may('tasks.complete'), pages.saveCompletion, again)
    router.post('/:id/completion/removal', may('tasks.complete'), pages.saveReopening, again)
    router.post('/:id/column', may('tasks.complete'), pages.saveColumn, again)
    router.post('/:id/checklist', may('tasks.complete'), pages.saveTick, again)
    host.capability('comments')?.routes(router, {
      kind: 'tasks',
      subject: async ({ params, portal }) => recordOf(await portal.crm.tasks.find(params.id)),
      show: pages.showTask,
      back: ({ params, portal }) => portal.url(`/tasks/${encodeURIComponent(params.id)}`),
    })
  },

  settings: {
    title: 'Tasks',
    icon: 'list-check',
    order: 65,
    group: 'messages',
    routes(router, host) {
      const own = ownRecords(host, 'tasks', '/tasks')
      const show = showAgainOnError(showOne(host))
      router.get('/', admins, showDesk(host))
      router.get('/new', admins, own, showNew(host))
      router.post('/', admins, own, saveNew(host), showAgainOnError(showNew(host)))
      router.get('/:id', admins, own, showOne(host))
      router.post('/:id', admins, own, saveTask(host), show)
      router.post('/:id/withdrawal', admins, own, saveWithdrawal(host), show)
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      tasks: await query(tx, {
        text: `select at, task_id as task from portal.client_task_completions
               where workspace_id = $1 and by_id = $2::text order by at`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: `update portal.client_task_completions set by_name = '–' where workspace_id = $1 and by_id = $2::text`,
        values: [workspace, person],
      })
      // The work remains, for anybody at the client.
      await query(tx, {
        text: `update portal.client_tasks set person_id = null, person_name = null
               where workspace_id = $1 and person_id = $2::uuid`,
        values: [workspace, person],
      })
    },
  },
})
