import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Described } from '../api/described.ts'
import { Invalid } from '../http/errors.ts'
import { query } from '../platform/database.ts'
import type { Host } from '../plugin/plugin.ts'
import { type Keeping, keepNewFiles, NoSpaceLeft } from './kept.ts'
import { type FileKind, iconOf } from './kinds.ts'
import { isPreviewable } from './previews.ts'
import { discardRefused, fieldsOf, type ReceivedFile, receiveFiles } from './receive.ts'

/** Files of one comment or message: how many, and how large each may be, in bytes. */
const limits = { files: 5, size: 25_000_000 }

/** How much space a client has where no plugin says, in bytes. */
const defaultSpace = 20e9

/** A file as a conversation and the API show it. */
export const Attachment = z.object({
  id: z.uuid(),
  /** With its extension. */
  name: z.string(),
  /** Media type, by the content. */
  type: z.string(),
  /** In bytes. */
  size: z.number(),
  /** Only those that are `ready` can be downloaded. */
  state: z.enum(['checking', 'ready', 'infected']),
  /** The name of what was found in an infected file. */
  threat: z.string().nullable(),
  /** Where it is downloaded: below the portal's address, or the API's. */
  address: z.string(),
})

/** Which table says which files are attached to what: it has the columns `workspace_id`, `client_id` and `file_id`. */
export interface Attaching {
  table: `portal.client_${string}_files`
  /** The column with the id of what they are attached to. */
  column: string
}

/** SQL of the files that are attached to the row `c`, with more properties of each, if any. */
export const filesOf = ({ table, column }: Attaching, more = '') => `(
  select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size,
    'state', f.state, 'threat', f.threat${more}) order by f.id), '[]')
  from ${table} a join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
  where a.workspace_id = c.workspace_id and a.${column} = c.id)`

/** Percent-encoded (RFC 3986, 2.1), like `encodeURIComponent`. */
export const encoded = (sql: string) => `(
  select string_agg(case when it ~ '^[A-Za-z0-9_.~-]$' then it
    else regexp_replace(upper(encode(convert_to(it, 'UTF8'), 'hex')), '(..)', '%\\1', 'g') end, '' order by at)
  from regexp_split_to_table(${sql}, '') with ordinality parts (it, at))`

/** 422: files of a form that are not accepted. Nothing of it is sent. */
class RefusedAttachments extends Invalid {
  /** Each with a sentence, which may name the limit of one file in bytes as `{size}`. */
  refused: { name: string; why: string; limit: number }[]

  constructor(refused: RefusedAttachments['refused'], typed: unknown) {
    const said = refused.map(it => `${it.name}: ${it.why.replace('{size}', `${it.limit / 1e6} MB`)}`)
    super({ files: said }, typed)
    this.refused = refused
  }
}

/**
 * Reads a form and stores the files that came with it, for `keep`. They are removed again where the form is
 * refused. Throws Invalid where one of them is.
 */
export async function withAttachments<T>(
  req: Request<any>,
  { files: store }: Host,
  keep: (files: ReceivedFile[]) => Promise<T>,
  kinds?: readonly FileKind[],
): Promise<T> {
  if (!req.is('multipart/form-data')) return keep([])
  if (!store) {
    req.portal.body = await fieldsOf(req)
    throw new Invalid({ files: ['Files can’t be attached here.'] }, req.portal.body)
  }
  const workspace = req.portal.workspace.id
  const total = limits.size * limits.files
  const its = { ...limits, total, kinds }
  const { files, refused, form } = await receiveFiles(req, { store, workspace, limits: its })
  req.portal.body = form
  const kept = refused.length ? Promise.reject(new RefusedAttachments(refused, form)) : keep(files)
  return kept.catch(error => discardRefused(error, { store, workspace, files }))
}

/** What clients may send: of all files of one, in bytes, and of which kinds; undefined is any. */
export const clientLimits = async (
  { capability }: Host,
  workspace: string,
): Promise<{ space: number; kinds?: readonly FileKind[] }> =>
  (await capability('fileLimits')?.of(workspace)) ?? { space: defaultSpace }

interface Attached extends Keeping {
  /** The id of what they are attached to. */
  id: string
  /** The space of the client, in bytes. */
  most: number
  /** What was typed beside them. */
  typed: unknown
}

/** Attaches files to something, in its transaction. Throws Invalid where there is no space for them. */
export async function attach(
  tx: Knex,
  host: Host,
  { table, column, ...it }: Attaching & Attached,
  files: ReceivedFile[],
): Promise<void> {
  if (!files.length) return
  await keepNewFiles(tx, host, it, files, it.most).catch(error => {
    throw error instanceof NoSpaceLeft ? new Invalid({ files: [error.message] }, it.typed) : error
  })
  await query(tx, {
    text: `insert into ${table} (workspace_id, ${column}, client_id, file_id) select $1, $2, $3, unnest($4::uuid[])`,
    values: [it.workspace.id, it.id, it.client, files.map(one => one.id)],
  })
}

/** What views of a thread need to show files, and to take some. */
export const shownFiles = ({ files }: Host) => ({ attachable: files !== undefined, limits, iconOf, isPreviewable })

/** How openapi.json describes a form of these fields, with files. */
export const describedForm = ({ files }: Host, typed: z.ZodObject): Described => ({
  body: {
    'application/json': typed,
    ...(files && { 'multipart/form-data': typed.extend({ files: z.array(z.file()).max(limits.files).optional() }) }),
  },
})
