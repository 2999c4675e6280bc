import { z } from 'zod'
import { described } from '../../src/api/described.ts'
import { describedForm } from '../../src/files/attachments.ts'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { ownRecords } from '../../src/settings/own-records.ts'
import { besideCrm } from './beside.ts'
import { showInbox, showThread } from './desk.ts'
import {
  saveClosing,
  saveHandOver,
  saveStaffDraft,
  saveStaffRead,
  saveStaffTyping,
  saveWritten,
} from './desk-changes.ts'
import { saveNewThread, showNewThread } from './desk-new.ts'
import { savePerson, showPeople } from './desk-people.ts'
import { saveHours, saveReply, saveReplyRemoval, showSetup } from './desk-setup.ts'
import { sendFile, sendFileToStaff, sendPreview, sendPreviewToStaff } from './files.ts'
import { fixtures } from './fixtures.ts'
import { home } from './home.ts'
import { Hours } from './hours.ts'
import { takeReply } from './incoming.ts'
import { jobs } from './jobs.ts'
import { mails } from './mails.ts'
import { findWaiting } from './news.ts'
import * as pages from './pages.ts'
import { Conversation, Counts, type Messages, Summary } from './port.ts'
import { storeOf } from './store.ts'
import { subject } from './subject.ts'

/** Conversations between clients and the company: the CRM's, or those in Portico's own tables. */
export default section({
  name: 'messages',
  title: 'Messages',
  icon: 'messages',
  order: 35,
  mails,
  notifications: {
    'messages.received': {
      label: 'New messages',
      group: 'work',
      sentence: '{name}: “{text}”',
      about: '{title}',
      example: { name: 'Jonas Okafor', text: 'Shall I send it to print on Monday?', title: 'Print of the gift box' },
      mail: 'messages.received',
    },
  },
  live: true,
  home,
  jobs,
  waiting: async ({ crm }) => (await crm.messages.overview()).unread,
  store: (customer, database) => storeOf(customer, database),
  beside: (port, customer, database) => besideCrm(port as Messages, customer, database),

  permissions: {
    'messages.see': { label: 'Read messages', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'messages.write': { label: 'Write messages', roles: ['admin', 'approver', 'billing', 'member'] },
  },

  toggles: {
    messages: {
      label: 'Messages',
      about: 'Clients write to you, and you answer in the inbox.',
      default: true,
    },
  },

  subject,
  attached: {
    shape: z.object({ id: z.string(), title: z.string() }).nullable().default(null),
    select: `(select jsonb_build_object('id', t.id, 'title', t.title) from portal.client_message_threads t
              where t.workspace_id = scope.workspace and t.client_id = scope.client and t.about_kind = $3 and t.about_id = $4)`,
  },
  slots: { subject: { view: 'messages/about' } },

  options: { 'messages.hours': { label: 'Office hours', shape: Hours } },

  responseSchemas: {
    'messages/list': pageOf(Summary).extend({ overview: Counts, counts: Counts }),
    'messages/show': z.object({ conversation: Conversation }),
    'messages/sent': z.object({
      /** Of the conversation. */
      id: z.string(),
      /** Of the message, in it. */
      seq: z.number().int(),
    }),
  },
  requestSchemas: {
    'messages/list': pages.Filter,
    'messages/read': pages.Reading,
    'messages/draft': pages.Drafted,
    'messages/new-draft': pages.Drafted,
    'messages/follow': pages.Following,
  },

  activity: {
    'messages.begun': { kind: 'change', sentence: 'began the conversation {number}', weekly: 'Messages' },
    'messages.written': { kind: 'change', sentence: 'wrote in the conversation {number}', weekly: 'Messages' },
    'messages.addressed': 'wrote to the client: {number}',
    'messages.answered': 'answered in the conversation {number}',
    'messages.closed': 'marked the conversation {number} as done',
    'messages.opened': 'put the conversation {number} back among those that wait',
    'messages.handed':
      '{whom, select, none {made the conversation {number} nobody’s in particular} other {handed the conversation {number} to {to}}}',
    'messages.person_changed':
      '{on, select, on {added {person} to} other {took {person} off}} the conversation {number}',
    'messages.downloaded': { kind: 'download', sentence: 'downloaded {number}, sent in a conversation' },
  },

  replies: { take: takeReply },
  fixtures: owner => fixtures(owner),

  capabilities: {
    messages: host => ({ waiting: (workspace, id) => findWaiting(host.database, workspace, id) }),
  },

  audit: { question: 'B8', adds: 'conversations between clients and staff, with files and replies by e-mail' },

  routes(router, host) {
    router.get('/', may('messages.see'), pages.showList(host))
    router.get('/new', may('messages.write'), pages.showNew(host))
    const form = describedForm(host, z.object({ id: z.uuid().optional(), text: z.string() }))
    const first = describedForm(
      host,
      z.object({ id: z.uuid().optional(), title: z.string(), text: z.string(), about: z.string().optional() }),
    )
    router.post(
      '/',
      may('messages.write'),
      described(first, pages.saveNew(host)),
      showAgainOnError(pages.showNew(host)),
    )
    router.post('/new-draft', may('messages.write'), pages.saveDrafted(host))
    router.get('/:id', may('messages.see'), pages.showConversation(host))
    const again = showAgainOnError(pages.showConversation(host))
    router.post('/:id/messages', may('messages.write'), described(form, pages.saveMessage(host)), again)
    router.post('/:id/read', may('messages.see'), pages.saveRead(host))
    router.post('/:id/typing', may('messages.write'), pages.saveTyping(host))
    router.post('/:id/draft', may('messages.write'), pages.saveDrafted(host))
    router.post('/:id/follow', may('messages.see'), pages.saveFollowing(host))
    router.get('/:id/files/:file/content', may('messages.see'), sendFile(host))
    router.get('/:id/files/:file/preview', may('messages.see'), sendPreview(host))
  },

  settings: {
    path: 'inbox',
    title: 'Inbox',
    icon: 'inbox',
    order: 5,
    group: 'messages',
    waits: [
      '{count, plural, one {A client is waiting for an answer} other {# clients are waiting for an answer}}',
      'Answer',
    ],
    waiting: `(select count(*)::int from (
        select from portal.client_message_threads t
        where t.workspace_id = scope.workspace and t.waiting_since is not null limit 100) q)`,
    routes(router, host) {
      const own = ownRecords(host, 'messages', '/inbox')
      const show = showThread(host)
      const again = showAgainOnError(show)
      router.get('/', admins, showInbox(host))
      router.get('/new', admins, own, showNewThread(host))
      router.post('/', admins, own, saveNewThread(host), showAgainOnError(showNewThread(host)))
      router.get('/setup', admins, own, showSetup(host))
      router.post('/setup/hours', admins, own, saveHours(host), showAgainOnError(showSetup(host)))
      router.post('/setup/replies', admins, own, saveReply, showAgainOnError(showSetup(host)))
      router.post('/setup/replies/:reply/removal', admins, own, saveReplyRemoval)
      router.get('/:id', admins, own, show)
      router.post('/:id/messages', admins, own, saveWritten(host), again)
      router.post('/:id/closing', admins, own, saveClosing, again)
      router.post('/:id/staff', admins, own, saveHandOver(host), again)
      router.get('/:id/people', admins, own, showPeople(host))
      router.post('/:id/people', admins, own, savePerson)
      router.post('/:id/read', admins, own, saveStaffRead)
      router.post('/:id/typing', admins, own, saveStaffTyping(host))
      router.post('/:id/draft', admins, own, saveStaffDraft)
      router.get('/:id/files/:file/content', admins, own, sendFileToStaff(host))
      router.get('/:id/files/:file/preview', admins, own, sendPreviewToStaff(host))
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      messages: await query(tx, {
        text: `select m.at, t.title as conversation, m.text from portal.client_messages m
                 join portal.client_message_threads t on t.workspace_id = m.workspace_id and t.id = m.thread_id
               where m.workspace_id = $1 and m.author_kind = 'client' and m.author_id = $2::text order by m.at`,
        values: [workspace, person],
      }),
    }),
    async prunes(owner) {
      const gone = await query(owner, {
        text: `with a as (delete from portal.client_message_drafts where at < portal.now() - interval '180 days' returning 1),
                 b as (delete from portal.client_message_staff_drafts where at < portal.now() - interval '180 days' returning 1)
               select from a union all select from b`,
      })
      return `${gone.length} drafts of messages untouched for 180 days`
    },
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: `delete from portal.client_message_drafts where workspace_id = $1 and person_id = $2::text`,
        values: [workspace, person],
      })
      await query(tx, {
        text: `delete from portal.client_message_readers
               where workspace_id = $1 and kind = 'client' and person_id = $2::text`,
        values: [workspace, person],
      })
    },
  },
})
