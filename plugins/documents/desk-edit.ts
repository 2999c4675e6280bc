import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { roles } from '../../src/crm/crm.ts'
import { cleanFileName, extensionOf } from '../../src/files/names.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { runStaffAction } from '../../src/settings/plugin-actions.ts'
import { findForStaff, foldersOf } from './desk-reads.ts'

/** A name that a person sees in a list. */
export const Name = z.string('Enter a name.').trim().min(1, 'Enter a name.').max(80, 'This is too long.')

/** Null where every role is chosen, or none. */
export function chosenRoles(fields: Record<string, unknown>): string[] | null {
  const chosen = roles.filter(it => fields[`role.${it}`] !== undefined)
  return chosen.length && chosen.length < roles.length ? chosen : null
}

export const Expiry = z
  .union([z.literal(''), z.iso.date('Enter a date.')])
  .default('')
  .transform(it => it || null)

const DocumentForm = z.looseObject({
  name: z.string('Enter a name.').trim().min(1, 'Enter a name.').max(200, 'This is too long.'),
  folder: z.string().default(''),
  expiresOn: Expiry,
})

/** Changes what a document is called, where it is, who sees it and until when. */
export const saveDocument =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const document = await findForStaff(host.database, workspace.id, req.params.id)
    const { name, folder, expiresOn, ...fields } = read(DocumentForm, req)
    const folders = await foldersOf(host.database, workspace.id, document.client)
    if (folder && !folders.some(it => it.id === folder))
      throw new Invalid({ folder: ['This folder is no longer there. Choose another one.'] }, req.portal.body)
    const called = withExtension(cleanFileName(name), document.name)
    await runStaffAction(
      req,
      async tx => {
        const rows = await query(tx, {
          text: `update portal.client_documents set name = $3, folder_id = $4, expires_on = $5, roles = $6
                 where workspace_id = $1 and id = $2 returning id`,
          values: [workspace.id, document.id, called, folder || null, expiresOn, chosenRoles(fields)],
        })
        if (!rows.length) throw new NotFound()
      },
      () => ({
        event: 'documents.changed',
        subject: { id: document.id, number: called },
        client: document.client,
      }),
    )
    res.redirect(303, req.portal.url(`/documents/${document.id}?changed`))
  }

/** The extension says how a file is opened: it stays as it was. */
function withExtension(name: string, before: string): string {
  const extension = extensionOf(before)
  return !extension || extensionOf(name) === extension ? name : `${name}.${extension}`
}

const FolderForm = z.looseObject({ name: Name })

/** Changes what a folder is called and who sees it. */
export const saveFolderChange =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { folder, client } = await folderAt(req, host)
    const { name, ...fields } = read(FolderForm, req)
    await runStaffAction(
      req,
      async tx => {
        const rows = await query(tx, {
          text: `update portal.client_document_folders f set name = $4, roles = $5
                 where f.workspace_id = $1 and f.client_id = $2 and f.id = $3 and not exists (
                   select from portal.client_document_folders it
                   where it.workspace_id = $1 and it.client_id = $2 and lower(it.name) = lower($4) and it.id <> $3)
                 returning id`,
          values: [req.portal.workspace.id, client, folder.id, name, chosenRoles(fields)],
        }).catch(error => {
          // Somebody else took the name at the same moment.
          if (error.code === '23505') return []
          throw error
        })
        if (!rows.length) throw new Invalid({ name: ['There is a folder of this name.'] }, req.portal.body)
      },
      () => ({ event: 'documents.folder_changed', subject: { number: name }, client }),
    )
    res.redirect(303, req.portal.url(`${at(client)}?folder=${folder.id}&changed`))
  }

/** Removes a folder. Its documents stay, and nobody sees one who did not before. */
export const saveFolderRemoval =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { folder, client } = await folderAt(req, host)
    await runStaffAction(
      req,
      tx => removeFolder(tx, req.portal.workspace.id, folder.id),
      () => ({ event: 'documents.folder_removed', subject: { number: folder.name }, client }),
    )
    res.redirect(303, req.portal.url(`${at(client)}?unfolded`))
  }

async function removeFolder(tx: Knex, workspace: string, id: string): Promise<void> {
  await query(tx, {
    text: `update portal.client_documents d set folder_id = null, roles = case
             when f.roles is null then d.roles
             when d.roles is null then f.roles
             else array(select unnest(d.roles) intersect select unnest(f.roles)) end
           from portal.client_document_folders f
           where d.workspace_id = $1 and d.folder_id = $2 and f.workspace_id = $1 and f.id = $2`,
    values: [workspace, id],
  })
  const rows = await query(tx, {
    text: 'delete from portal.client_document_folders where workspace_id = $1 and id = $2 returning id',
    values: [workspace, id],
  })
  if (!rows.length) throw new NotFound()
}

const at = (client: string) => `/documents/clients/${encodeURIComponent(client)}`

/** Throws NotFound. */
async function folderAt(req: Request<any>, host: Host) {
  const { client, folder: id } = req.params
  const folders = await foldersOf(host.database, req.portal.workspace.id, client)
  const folder = folders.find(it => it.id === id)
  if (!folder) throw new NotFound()
  return { folder, client }
}
