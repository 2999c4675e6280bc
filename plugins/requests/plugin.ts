import { z } from 'zod'
import { described } from '../../src/api/described.ts'
import { resumable } from '../../src/files/described.ts'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
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

/** Lists of what the company asks its clients to send, ticked off by uploading. */
export default section({
  name: 'requests',
  title: 'Requests',
  icon: 'clipboard-list',
  order: 47,
  live: true,
  mails,
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
      router.get('/', admins, showDesk(host))
      router.get('/zip', admins, sendZipToStaff(host))
      router.get('/clients/:client', admins, showDesk(host))
      const preview = showAgainOnError(showNew(host))
      router.get('/new', admins, showNew(host))
      router.post('/new', admins, showPreview(host), preview)
      router.post('/', admins, saveNew(host), showAgainOnError(showPreviewAgain(host)))

      const template = templates.showTemplate(host)
      const again = showAgainOnError(template)
      router.get('/templates', admins, templates.showTemplates(host))
      router.get('/templates/new', admins, template)
      router.post('/templates', admins, templates.saveTemplate(host), again)
      router.get('/templates/:id', admins, template)
      router.post('/templates/:id', admins, templates.saveTemplate(host), again)
      router.post('/templates/:id/removal', admins, templates.saveTemplateRemoval(host))
      router.get('/templates/:id/items/:item/example', admins, templates.sendTemplateExample(host))
      router.post('/templates/:id/items/:item/example', admins, templates.saveExample(host), again)
      router.post('/templates/:id/items/:item/example/removal', admins, templates.saveExampleRemoval(host), again)

      const show = showAgainOnError(showOne(host))
      router.get('/:id', admins, showOne(host))
      router.post('/:id', admins, changes.saveRequest(host), show)
      router.get('/:id/zip', admins, sendZipToStaff(host))
      router.get('/:id/files/:file/content', admins, sendToStaff(host))
      router.get('/:id/files/:file/preview', admins, sendPreviewToStaff(host))
      router.post('/:id/items', admins, changes.saveMoreItems(host), show)
      router.post('/:id/items/:item/acceptance', admins, changes.saveAcceptance(host), show)
      router.post('/:id/items/:item/return', admins, changes.saveReturn(host), show)
      router.post('/:id/items/:item/withdrawal', admins, changes.saveItemWithdrawal(host), show)
      router.post('/:id/acceptance', admins, changes.saveAllAccepted(host), show)
      router.post('/:id/prompt', admins, changes.savePrompt(host), show)
      for (const it of ['closing', 'reopening', 'withdrawal'] as const)
        router.post(`/:id/${it}`, admins, changes.saveMove(host, it), show)
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
