import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { type Client, roles } from '../../src/crm/crm.ts'
import { usageOf } from '../../src/files/kept.ts'
import { iconOf } from '../../src/files/kinds.ts'
import { isPreviewable, previewOf, sendPreview } from '../../src/files/previews.ts'
import { discardRefused, fileKey, type Received, receiveFiles } from '../../src/files/receive.ts'
import { BeingChecked, inStore, sendStoredFile } from '../../src/files/send.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { recipientsOf, runStaffAction } from '../../src/settings/plugin-actions.ts'
import { saveOption } from '../../src/settings/plugin-options.ts'
import { chosenRoles, Expiry, Name } from './desk-edit.ts'
import { documentsOf, findForStaff, foldersOf, receivedLately, type StaffDocument } from './desk-reads.ts'
import { type Adding, addDocuments, removeBytes, removeDocument, replaceDocument } from './keep.ts'
import { bytesOf, kindNames, kinds, type Limits, limitsOf } from './limits.ts'

/** What clients sent last, a search for a client, and how much may be sent. */
export const showDesk =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const { crm, scanner } = coreHostOf(host)
    const search = words.catch('').parse(req.query.search)
    const [received, limits, clients] = await Promise.all([
      receivedLately(host.database, workspace.id),
      limitsOf(host, workspace.id),
      search ? crm.directory.clients?.(workspace, search) : undefined,
    ])
    res.respond('documents/desk', {
      ...{
        received,
        search,
        clients,
        iconOf,
        isPreviewable,
        limits,
        scanned: scanner !== undefined,
        stored: host.files !== undefined,
      },
      searchable: crm.directory.clients !== undefined,
      kinds,
      typed: problem ? Object(body) : typedOf(limits),
      was: JSON.stringify(limits),
      saved: req.query.saved === '',
    })
  }

const whole = (sentence: string) =>
  z
    .string(sentence)
    .trim()
    .regex(/^[1-9]\d{0,4}$/, sentence)
    .transform(Number)

/** The limits as their form has them. */
const typedOf = ({ size, total, kinds }: Limits): Record<string, string> => ({
  size: String(size),
  total: String(total),
  ...Object.fromEntries(kinds.map(it => [`kind.${it}`, 'on'])),
})

const LimitsForm = z
  .looseObject({
    size: whole('Enter a number from 1 to 99,999.'),
    total: whole('Enter a number from 1 to 99,999.'),
    'was.limits': z.string().default(''),
  })
  .transform(form => ({ ...form, kinds: kindNames.filter(it => form[`kind.${it}`] !== undefined) }))
  .refine(form => form.kinds.length > 0, { error: 'Choose at least one kind of file.', path: ['kinds'] })

export const saveLimits =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { 'was.limits': before, size, total, kinds } = read(LimitsForm, req)
    const value: Limits = { size, total, kinds }
    await saveOption(req, host, { name: 'documents.limits', value, before: parsed(before) })
    res.redirect(303, req.portal.url('/documents?saved'))
  }

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

interface Uploading {
  result?: Pick<Received, 'refused'> & { files: { name: string }[] }
}

/** The documents of one client, as staff have them: everybody's, also those that have expired. */
export const showClient =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const client = await clientAt(req, host)
    const after = z.uuid().optional().catch(undefined).parse(req.query.after)
    req.portal.rights = await rightsOf(host.database, workspace.id)
    const [folders, page, limits, used] = await Promise.all([
      foldersOf(host.database, workspace.id, client.id),
      documentsOf(host.database, { workspace: workspace.id, client: client.id, after, folder: folderIn(req) }),
      limitsOf(host, workspace.id),
      req.portal.inWorkspace(tx => usageOf(tx, workspace.id, client.id)),
    ])
    const { size, total } = bytesOf(limits)
    res.respond('documents/client', {
      ...{ client, folders, ...page, iconOf, isPreviewable, limit: size, used, total, roles },
      folder: folderIn(req),
      besideCrm: coreHostOf(host).crm.reads?.documents !== undefined,
      changing: problem !== undefined && req.params.folder !== undefined,
      typed: problem ? Object(body) : {},
      result: (req as Uploading).result,
      mails: coreHostOf(host).mailContext !== undefined,
      done: ['shared', 'removed', 'changed', 'unfolded', 'made'].find(it => req.query[it] !== undefined),
    })
  }

const folderIn = ({ params, query }: Request<any>) =>
  z
    .uuid()
    .optional()
    .catch(undefined)
    .parse(params.folder ?? query.folder)

async function clientAt(req: Request<any>, host: Host): Promise<Client> {
  const client = await coreHostOf(host).crm.directory.client(req.portal.workspace, req.params.client)
  if (!client) throw new NotFound()
  return client
}

const Sharing = z.object({
  folder: z.string().default(''),
  expiresOn: Expiry,
  tell: z.string().optional(),
})

/** Shares files with a client. */
export const saveShared =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const client = await clientAt(req, host)
    const { received, most } = await receive(req, host)
    const refused = await keepOrDiscard(req, host, received, async () => {
      const { folder, expiresOn, tell } = read(Sharing, req)
      const adding = {
        ...(await addingBy(req, host, client.id, folder)),
        expiresOn,
        roles: chosenRoles(received.fields),
      }
      await share(req, host, { adding, client, received, most, tell: tell !== undefined })
    })
    const at = `/documents/clients/${encodeURIComponent(client.id)}`
    if (!refused) return res.redirect(303, req.portal.url(`${at}?shared`))
    Object.assign(req, { result: { files: received.files, refused } } satisfies Uploading)
    res.status(422)
    return showClient(host)(req, res, next)
  }

async function receive(req: Request<any>, host: Host) {
  if (!host.files) throw new NotFound()
  const limits = bytesOf(await limitsOf(host, req.portal.workspace.id))
  const received = await receiveFiles(req, { store: host.files, workspace: req.portal.workspace.id, limits })
  req.portal.body = received.fields
  return { received, most: limits.total }
}

/** Keeps what arrived, or removes it if that fails. Returns what was refused, if anything was. */
async function keepOrDiscard(req: Request<any>, host: Host, received: Received, keep: () => Promise<void>) {
  const { files, refused } = received
  if (!files.length && !refused.length) throw new Invalid({ files: ['Choose at least one file.'] }, received.fields)
  const of = { store: host.files as FileStore, workspace: req.portal.workspace.id, files }
  if (files.length) await keep().catch(error => discardRefused(error, of))
  return refused.length ? refused : undefined
}

async function addingBy(req: Request<any>, host: Host, client: string, folder: string): Promise<Adding> {
  const { workspace, staff } = req.portal
  const folders = folder ? await foldersOf(host.database, workspace.id, client) : []
  if (folder && !folders.some(it => it.id === folder))
    throw new Invalid({ folder: ['This folder is no longer there. Choose another one.'] }, req.portal.body)
  const by = { kind: 'staff', id: staff?.id ?? '', name: staff?.name ?? workspace.name } as const
  return { workspace, client, folder: folder || null, by }
}

interface Shared {
  adding: Adding
  client: Client
  received: Received
  most: number
  tell: boolean
}

async function share(req: Request<any>, host: Host, { adding, client, received, most, tell }: Shared) {
  const people = tell ? await recipientsOf(req, { client: client.id, section: 'documents' }) : []
  const folderRoles = adding.folder ? await rolesOfFolder(req, adding.folder) : null
  const sees = (role: string) => [adding.roles, folderRoles].every(it => !it || it.includes(role))
  const [first] = received.files
  await runStaffAction(
    req,
    async tx => {
      const ids = await addDocuments(tx, host, adding, received.files, most)
      if (tell)
        await notifyPeople(
          tx,
          host,
          req,
          people.filter(it => sees(it.role)),
          {
            kind: 'documents.shared',
            record: { client: client.id, section: 'documents', id: ids.length === 1 ? ids[0]! : '' },
            facts: { staff: adding.by.name, name: first?.name ?? '', files: ids.length },
            mail: () => ({ facts: { staff: adding.by.name, name: first?.name ?? '', count: ids.length } }),
          },
        )
      return ids
    },
    ids => ({
      event: 'documents.shared',
      subject: { id: ids[0], number: first?.name, count: ids.length },
      client: client.id,
    }),
  )
  host.jobs.wake()
}

const rolesOfFolder = async (req: Request<any>, id: string): Promise<string[] | null> => {
  const { workspace } = req.portal
  const [row] = await req.portal.inWorkspace(tx =>
    query<{ roles: string[] | null }>(tx, {
      text: 'select roles from portal.client_document_folders where workspace_id = $1 and id = $2',
      values: [workspace.id, id],
    }),
  )
  return row?.roles ?? null
}

const FolderForm = z.looseObject({ name: Name })

export const saveFolder =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const client = await clientAt(req, host)
    const { workspace } = req.portal
    const { name, ...fields } = read(FolderForm, req)
    await runStaffAction(
      req,
      async tx => {
        const made = await insertFolder(tx, {
          workspace: workspace.id,
          client: client.id,
          name,
          roles: chosenRoles(fields),
        })
        if (!made.length) throw new Invalid({ name: ['There is a folder of this name.'] }, req.portal.body)
      },
      () => ({ event: 'documents.folder_made', subject: { number: name }, client: client.id }),
    )
    res.redirect(303, req.portal.url(`/documents/clients/${encodeURIComponent(client.id)}?made`))
  }

const insertFolder = (tx: Knex, it: { workspace: string; client: string; name: string; roles: string[] | null }) =>
  query(tx, {
    text: `insert into portal.client_document_folders (workspace_id, id, client_id, name, roles) values ($1, $2, $3, $4, $5)
           on conflict do nothing returning id`,
    values: [it.workspace, uuid(), it.client, it.name, it.roles],
  })

/** A document as its form has it. */
const formOf = ({ name, folderId, expiresOn, roles }: StaffDocument) => ({
  name,
  folder: folderId ?? '',
  expiresOn: expiresOn ?? '',
  ...Object.fromEntries((roles ?? []).map(it => [`role.${it}`, 'on'])),
})

/** One document, with its versions and who opened it. */
export const showDocument =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const document = await findForStaff(host.database, req.portal.workspace.id, req.params.id)
    const { workspace, problem, body } = req.portal
    const [client, folders] = await Promise.all([
      coreHostOf(host).crm.directory.client(workspace, document.client),
      foldersOf(host.database, workspace.id, document.client),
    ])
    req.portal.rights = await rightsOf(host.database, workspace.id)
    res.respond('documents/one', {
      ...{ document, client, folders, iconOf, isPreviewable, roles },
      form: problem && 'name' in Object(body) ? Object(body) : formOf(document),
      result: (req as Uploading).result,
      done: ['saved', 'changed'].find(it => req.query[it] !== undefined),
    })
  }

export const saveVersion =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const document = await findForStaff(host.database, req.portal.workspace.id, req.params.id)
    const { received, most } = await receive(req, host)
    const refused = await keepOrDiscard(req, host, received, async () => {
      const [file, second] = received.files
      if (second || !file) throw new Invalid({ files: ['Choose one file.'] }, {})
      const adding = { ...(await addingBy(req, host, document.client, '')), document: document.id }
      await runStaffAction(
        req,
        async tx => {
          const replaced = await replaceDocument(tx, host, adding, file, most)
          if (!replaced) throw new NotFound()
          return replaced
        },
        ({ name, version }) => ({
          event: 'documents.replaced',
          subject: { id: document.id, number: name, version },
          client: document.client,
        }),
      )
      host.jobs.wake()
    })
    if (!refused) return res.redirect(303, req.portal.url(`/documents/${document.id}?saved`))
    Object.assign(req, { result: { files: received.files, refused } } satisfies Uploading)
    res.status(422)
    return showDocument(host)(req, res, next)
  }

export const saveRemoval =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const id = z.uuid().safeParse(req.params.id).data
    if (!id) throw new NotFound()
    const removed = await runStaffAction(
      req,
      async tx => {
        const it = await removeDocument(tx, workspace.id, id)
        if (!it) throw new NotFound()
        return it
      },
      ({ name, client }) => ({ event: 'documents.removed', subject: { id, number: name }, client }),
    )
    if (host.files) await removeBytes(host.files, workspace.id, removed)
    res.redirect(303, req.portal.url(`/documents/clients/${encodeURIComponent(removed.client)}?removed`))
  }

/** Sends any version to staff. */
export const sendToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const document = await findForStaff(host.database, workspace.id, req.params.id)
    const asked = z.coerce.number().int().catch(document.version).parse(req.query.version)
    const version = document.versions.find(it => it.version === asked)
    if (!version || version.state === 'infected' || !host.files) throw new NotFound()
    if (version.state === 'checking') throw new BeingChecked()
    const store = host.files
    await recordEvent(req, {
      event: 'documents.downloaded',
      subject: { id: document.id, number: document.name },
      actor: { kind: 'staff', id: req.portal.staff?.id, name: req.portal.staff?.name, client: document.client },
    })
    const { name } = document
    const { type, size, tag, file } = version
    const key = fileKey(workspace.id, file)
    await sendStoredFile(req, res, { name, type, size, version: tag, ...inStore(store, key) })
  }

/** A picture of the document, for staff. */
export const sendPreviewToStaff =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { versions } = await findForStaff(database, workspace.id, req.params.id)
    const [newest] = versions
    if (newest?.state !== 'ready' || !files) throw new NotFound()
    const key = fileKey(workspace.id, newest.file)
    const { type, size } = newest
    const wanted = req.query.size === 'large' ? 'large' : 'small'
    sendPreview(res, await previewOf({ store: files, key, type, size, open: () => files.read(key) }, wanted))
  }

/** SQL of how many documents of clients staff have not opened yet, for the menu. */
export const waitingSql = `(select count(*)::int from (
  select from portal.client_documents d
  where d.workspace_id = scope.workspace and d.by_kind = 'client' and d.changed_at > portal.now() - interval '30 days'
    and not exists (
      select from portal.client_activity_logs l
      where l.workspace_id = d.workspace_id and l.client_id = d.client_id and l.event = 'documents.downloaded' and l.subject_id = d.id::text
        and l.actor_kind = 'staff')
  limit 100) q)`
