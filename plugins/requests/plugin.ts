import { z } from 'zod'
import { described } from '../../src/api/described.ts'
import { resumable } from '../../src/files/described.ts'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { ownRecords } from '../../src/settings/own-records.ts'
import { filesForm } from './described.ts'
import { sendPreviewToStaff, sendToStaff, sendZipToStaff, showDesk, showOne } from './desk.ts'
import * as changes from './desk-changes.ts'
import { waitingSql } from './desk-reads.ts'
import { saveNew, showNew, showPreview, showPreviewAgain } from './desk-send.ts'
import { activity } from './events.ts'
import { fixtures } from './fixtures.ts'
import { home } from './home.ts'
import { reopenInfected } from './items.ts'
import { jobs } from './jobs.ts'
import { mails } from './mails.ts'
import * as pages from './pages.ts'
import { Counts, RequestedList, Summary } from './port.ts'
import { storeOf } from './store.ts'
import { askedAbout, subject } from './subject.ts'
import * as templates from './templates.ts'
import { saveFileRemoval, saveFiles, uploadResumably } from './uploads.ts'

const asked = { staff: 'Marta Lindqvist', items: 3, name: 'Annual accounts 2026' }

/** Lists of what the company asks its clients to send, ticked off by uploading. */
export default section({
  name: 'requests',
  title: 'Requests',
  icon: 'clipboard-list',
  order: 47,
  live: true,
  mails,
  notifications: {
    'requests.sent': {
      label: 'Requests for files',
      group: 'work',
      sentence: '{staff} needs {items, plural, one {one thing} other {# things}} from you: {name}',
      example: asked,
      mail: 'requests.sent',
    },
    'requests.returned': {
      label: 'Requests that were sent back',
      group: 'work',
      sentence: '{staff} sent {items, plural, one {one thing} other {# things}} back: {name}',
      example: asked,
      mail: 'requests.returned',
      chosenWith: 'requests.sent',
    },
    'requests.prompt': {
      label: 'Reminders of requests',
      group: 'work',
      sentence: '{staff} is still waiting for {items, plural, one {one thing} other {# things}}: {name}',
      example: asked,
      mail: 'requests.prompt',
      chosenWith: 'requests.sent',
    },
  },
  jobs,
  home,
  waiting: async ({ crm, may }) => (may('requests.upload') ? (await crm.requests.counts()).open : 0),
  store: (customer, database, { files }) => files && storeOf(customer, database, files),

  permissions: {
    'requests.see': { label: 'See requests', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'requests.upload': {
      label: 'Send what is requested',
      roles: ['admin', 'approver', 'billing', 'member'],
    },
    'requests.comment': { label: 'Ask about requests', roles: ['admin', 'approver', 'billing', 'member'] },
  },

  toggles: {
    requests: {
      label: 'Requests',
      about: 'Clients see what you ask them to send, and send it item by item.',
      default: true,
    },
  },

  subject,
  with: {
    comments: {
      toggles: {
        'requests.questions': {
          label: 'Questions on requests',
          about: 'Clients ask about a request or one item of it, and you answer them there.',
          default: true,
        },
      },
      activity: {
        'requests.commented': 'asked about the request {number}',
        'requests.replied': 'answered a question about the request {number}',
      },
    },
    reminders: {
      toggles: {
        'requests.reminders': {
          label: 'Reminders of requests',
          about: 'People who can send something get an e-mail before and after it is due, as set under Reminders.',
          withoutMail: 'E-mail isn’t set up, so nobody is reminded.',
          default: true,
        },
      },
      activity: {
        'requests.reminded':
          '{personal, select, yes {reminded somebody of a personal request} other {reminded {count, plural, one {# person} other {# people}} of the request {number}}}',
      },
    },
  },

  responseSchemas: {
    'requests/list': pageOf(Summary).extend({ counts: Counts, found: Counts.optional() }),
    'requests/show': z.object({ request: RequestedList }),
  },
  requestSchemas: { 'requests/list': pages.Filter },

  activity,

  audit: { question: 'B7', adds: 'lists of files that you ask clients for' },

  routes(router, host) {
    router.get('/', may('requests.see'), pages.showList)
    router.get('/:id', may('requests.see'), pages.showRequest(host))
    router.get('/:id/zip', may('requests.see'), pages.sendZip)
    router.get('/:id/files/:file/content', may('requests.see'), pages.sendFile)
    router.get('/:id/files/:file/preview', may('requests.see'), pages.sendFilePreview(host))
    router.get('/:id/items/:item/example', may('requests.see'), pages.sendExample)
    const show = showAgainOnError(pages.showRequest(host))
    router.post('/:id/items/:item/files', may('requests.upload'), described(filesForm, saveFiles(host)), show)
    router.post('/:id/items/:item/files/:file/removal', may('requests.upload'), saveFileRemoval(host), show)
    router.post('/:id/items/:item/dismissal', may('requests.upload'), pages.saveDismissal, show)
    router.post('/:id/items/:item/dismissal/removal', may('requests.upload'), pages.saveDismissalRemoval, show)
    const uploads = '/:id/items/:item/uploads'
    router.post(uploads, may('requests.upload'), described(resumable.begin, uploadResumably(host)))
    router.head(`${uploads}/:upload`, may('requests.upload'), described(resumable.look, uploadResumably(host)))
    router.patch(`${uploads}/:upload`, may('requests.upload'), described(resumable.send, uploadResumably(host)))
    router.delete(`${uploads}/:upload`, may('requests.upload'), described(resumable.cancel, uploadResumably(host)))
    host.capability('comments')?.routes(router, {
      kind: 'requests',
      subject: async ({ params, portal }) => askedAbout(await portal.crm.requests.find(params.id)),
      show: pages.showRequest(host),
      back: ({ params, portal }) => portal.url(`/requests/${encodeURIComponent(params.id)}`),
    })
  },

  settings: {
    title: 'Requests',
    icon: 'clipboard-list',
    order: 64,
    group: 'messages',
    waiting: waitingSql,
    waits: ['{count, plural, one {A request to look through} other {# requests to look through}}', 'View'],
    routes(router, host) {
      const own = ownRecords(host, 'requests', '/requests')
      router.get('/', admins, showDesk(host))
      router.get('/zip', admins, own, sendZipToStaff(host))
      router.get('/clients/:client', admins, own, showDesk(host))
      const preview = showAgainOnError(showNew(host))
      router.get('/new', admins, own, showNew(host))
      router.post('/new', admins, own, showPreview(host), preview)
      router.post('/', admins, own, saveNew(host), showAgainOnError(showPreviewAgain(host)))

      const template = templates.showTemplate(host)
      const again = showAgainOnError(template)
      router.get('/templates', admins, own, templates.showTemplates(host))
      router.get('/templates/new', admins, own, template)
      router.post('/templates', admins, own, templates.saveTemplate(host), again)
      router.get('/templates/:id', admins, own, template)
      router.post('/templates/:id', admins, own, templates.saveTemplate(host), again)
      router.post('/templates/:id/removal', admins, own, templates.saveTemplateRemoval(host))
      router.get('/templates/:id/items/:item/example', admins, own, templates.sendTemplateExample(host))
      router.post('/templates/:id/items/:item/example', admins, own, templates.saveExample(host), again)
      router.post('/templates/:id/items/:item/example/removal', admins, own, templates.saveExampleRemoval(host), again)

      const show = showAgainOnError(showOne(host))
      router.get('/:id', admins, own, showOne(host))
      router.post('/:id', admins, own, changes.saveRequest(host), show)
      router.get('/:id/zip', admins, own, sendZipToStaff(host))
      router.get('/:id/files/:file/content', admins, own, sendToStaff(host))
      router.get('/:id/files/:file/preview', admins, own, sendPreviewToStaff(host))
      router.post('/:id/items', admins, own, changes.saveMoreItems(host), show)
      router.post('/:id/items/:item/acceptance', admins, own, changes.saveAcceptance(host), show)
      router.post('/:id/items/:item/return', admins, own, changes.saveReturn(host), show)
      router.post('/:id/items/:item/withdrawal', admins, own, changes.saveItemWithdrawal(host), show)
      router.post('/:id/acceptance', admins, own, changes.saveAllAccepted(host), show)
      router.post('/:id/prompt', admins, own, changes.savePrompt(host), show)
      for (const it of ['closing', 'reopening', 'withdrawal'] as const)
        router.post(`/:id/${it}`, admins, own, changes.saveMove(host, it), show)
    },
  },

  fixtures: async (owner, { files }) => {
    if (files) await fixtures(owner, files)
  },

  infected: reopenInfected,

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      requests: await query(tx, {
        text: `select r.name as request, i.name as item, i.state, i.reason, i.changed_at
               from portal.client_request_items i
                 join portal.client_requests r on r.workspace_id = i.workspace_id and r.id = i.request_id
               where i.workspace_id = $1 and i.by_id = $2::text order by i.changed_at`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      // What was sent stays, as what the client has sent.
      await query(tx, {
        text: `update portal.client_request_items set by_id = null, by_name = '–' where workspace_id = $1 and by_id = $2::text`,
        values: [workspace, person],
      })
      await query(tx, {
        text: `update portal.client_requests set person_name = '–' where workspace_id = $1 and person_id = $2::uuid`,
        values: [workspace, person],
      })
    },
  },
})
