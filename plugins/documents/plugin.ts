import { z } from 'zod'
import { described } from '../../src/api/described.ts'
import { resumable } from '../../src/files/described.ts'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { besideCrm } from './beside.ts'
import { Uploaded, uploadForm } from './described.ts'
import {
  saveFolder,
  saveLimits,
  saveRemoval,
  saveShared,
  saveVersion,
  sendPreviewToStaff,
  sendToStaff,
  showClient,
  showDesk,
  showDocument,
  waitingSql,
} from './desk.ts'
import { saveDocument, saveFolderChange, saveFolderRemoval } from './desk-edit.ts'
import { fixtures } from './fixtures.ts'
import { home } from './home.ts'
import { bytesOf, limitsOf, options } from './limits.ts'
import { mails } from './mails.ts'
import * as pages from './pages.ts'
import { Counts, Document, type Documents, Overview, Summary } from './port.ts'
import { storeOf } from './store.ts'
import { recordOf, subject } from './subject.ts'
import { sendZip } from './zip.ts'

/** Files that the company and its clients share: the CRM's, or in Portico's own tables and file store. */
export default section({
  name: 'documents',
  title: 'Documents',
  icon: 'folder',
  order: 40,
  live: true,
  mails,
  notifications: {
    'documents.shared': {
      label: 'New documents',
      group: 'work',
      sentence: '{staff} shared {files, plural, one {{name}} other {# documents, including {name}}}',
      several: '{staff} shared {name} and more',
      example: { staff: 'Marta Lindqvist', files: 1, name: 'Autumn range.pdf' },
      mail: 'documents.shared',
    },
    'documents.added': {
      label: 'New documents',
      group: 'work',
      sentence: 'New document: {name}',
      example: { name: 'Autumn range.pdf' },
      chosenWith: 'documents.shared',
    },
  },
  options,
  home,
  waiting: async ({ crm }) => (await crm.documents.overview()).counts.new,
  store: (customer, database, { files }) => files && storeOf(customer, database, files),
  beside: (port, customer, database, { files }) => besideCrm(port as Documents, customer, database, files),

  permissions: {
    'documents.see': { label: 'See documents', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'documents.comment': { label: 'Ask about documents', roles: ['admin', 'approver', 'billing', 'member'] },
    'documents.upload': {
      label: 'Upload documents',
      roles: ['admin', 'approver', 'billing', 'member'],
      toggle: 'documents.uploads',
    },
  },

  toggles: {
    documents: {
      label: 'Documents',
      about: 'Clients see and download the documents that you share with them.',
      default: true,
    },
    'documents.uploads': {
      label: 'Uploads',
      about: 'Clients send you files, up to the limits set under Documents.',
      default: true,
    },
  },

  subject,
  with: {
    comments: {
      toggles: {
        'documents.questions': {
          label: 'Questions on documents',
          about: 'Clients ask about a document, and you answer them there.',
          default: true,
        },
      },
      activity: {
        'documents.commented': 'asked about the document {number}',
        'documents.replied': 'answered a question about the document {number}',
      },
    },
  },

  responseSchemas: {
    'documents/list': pageOf(Summary).extend({ overview: Overview, found: Counts.optional() }),
    'documents/show': z.object({ document: Document }),
    'documents/uploaded': Uploaded,
  },
  requestSchemas: { 'documents/list': pages.Filter },

  activity: {
    'documents.viewed': { kind: 'view', sentence: 'looked at {number}' },
    'documents.downloaded': { kind: 'download', sentence: 'downloaded {number}' },
    'documents.zip_downloaded': {
      kind: 'download',
      sentence: 'downloaded {count, plural, one {# document} other {# documents}} as a zip',
    },
    'documents.uploaded': {
      kind: 'change',
      sentence: 'uploaded {count, plural, one {{number}} other {# files}}',
      weekly: 'Uploads',
    },
    'documents.withdrawn': 'removed {number}, which they had uploaded',
    'documents.shared': 'shared {count, plural, one {{number}} other {# documents}}',
    'documents.replaced': 'shared version {version} of {number}',
    'documents.removed': 'removed the document {number}',
    'documents.changed': 'changed the name, folder or readers of {number}',
    'documents.folder_changed': 'changed the folder {number}',
    'documents.folder_removed': 'removed the folder {number}',
    'documents.folder_made': 'created the folder {number}',
  },

  audit: { question: 'B7', adds: 'documents that you and your clients share, and uploads' },

  routes(router, host) {
    router.get('/', may('documents.see'), pages.showList(host))
    router.get('/zip', may('documents.see'), sendZip)
    router.get('/upload', may('documents.upload'), pages.showUpload(host))
    const saveUpload = described(uploadForm, pages.saveUpload(host))
    router.post('/', may('documents.upload'), saveUpload, showAgainOnError(pages.showUpload(host)))
    router.post('/uploads', may('documents.upload'), described(resumable.begin, pages.uploadResumably(host)))
    router.head('/uploads/:id', may('documents.upload'), described(resumable.look, pages.uploadResumably(host)))
    router.patch('/uploads/:id', may('documents.upload'), described(resumable.send, pages.uploadResumably(host)))
    router.delete('/uploads/:id', may('documents.upload'), described(resumable.cancel, pages.uploadResumably(host)))
    router.get('/:id', may('documents.see'), pages.showDocument(host))
    router.get('/:id/content', may('documents.see'), pages.sendContent(host))
    router.get('/:id/pages', may('documents.see'), pages.showPages(host))
    router.get('/:id/preview', may('documents.see'), pages.sendDocumentPreview(host))
    router.post('/:id/removal', may('documents.upload'), pages.saveRemoval(host))
    host.capability('comments')?.routes(router, {
      kind: 'documents',
      subject: async ({ params, portal }) => recordOf(await portal.crm.documents.find(params.id)),
      show: pages.showDocument(host),
      back: ({ params, portal }) => portal.url(`/documents/${encodeURIComponent(params.id)}`),
    })
  },

  capabilities: {
    fileLimits: host => ({
      async of(workspace) {
        const { kinds, ...sizes } = await limitsOf(host, workspace)
        const { size, total } = bytesOf(sizes)
        return { size, space: total, kinds }
      },
    }),
  },

  settings: {
    title: 'Documents',
    icon: 'folder',
    order: 66,
    group: 'messages',
    waiting: waitingSql,
    waits: ['{count, plural, one {A client sent a file} other {Clients sent # files}}', 'View'],
    routes(router, host) {
      router.get('/', admins, showDesk(host))
      router.post('/limits', admins, saveLimits(host), showAgainOnError(showDesk(host)))
      router.get('/clients/:client', admins, showClient(host))
      router.post('/clients/:client', admins, saveShared(host), showAgainOnError(showClient(host)))
      router.post('/clients/:client/folders', admins, saveFolder(host), showAgainOnError(showClient(host)))
      router.post(
        '/clients/:client/folders/:folder',
        admins,
        saveFolderChange(host),
        showAgainOnError(showClient(host)),
      )
      router.post('/clients/:client/folders/:folder/removal', admins, saveFolderRemoval(host))
      router.get('/:id', admins, showDocument(host))
      router.post('/:id', admins, saveDocument(host), showAgainOnError(showDocument(host)))
      router.get('/:id/content', admins, sendToStaff(host))
      router.get('/:id/preview', admins, sendPreviewToStaff(host))
      router.post('/:id/versions', admins, saveVersion(host), showAgainOnError(showDocument(host)))
      router.post('/:id/removal', admins, saveRemoval(host))
    },
  },

  fixtures: async (owner, { files }) => {
    if (files) await fixtures(owner, files)
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      documents: await query(tx, {
        text: `select at, name, version, size::float8 as size from portal.client_documents
               where workspace_id = $1 and by_id = $2::text and by_kind = 'client' order by at`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      for (const table of ['client_document_reads', 'client_crm_document_reads'])
        await query(tx, {
          text: `delete from portal.${table} where workspace_id = $1 and person_id = $2::uuid`,
          values: [workspace, person],
        })
      // The documents stay, as what the client has sent.
      for (const table of ['client_documents', 'client_document_versions'])
        await query(tx, {
          text: `update portal.${table} set by_name = '–' where workspace_id = $1 and by_kind = 'client' and by_id = $2::text`,
          values: [workspace, person],
        })
    },
  },
})
