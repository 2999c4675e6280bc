import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Described } from '../../src/api/described.ts'
import { type Keeping, keepNewFiles, NoSpaceLeft } from '../../src/files/kept.ts'
import { type FileKind, iconOf } from '../../src/files/kinds.ts'
import { isPreviewable } from '../../src/files/previews.ts'
import { discardRefused, fieldsOf, type ReceivedFile, receiveFiles } from '../../src/files/receive.ts'
import { Invalid } from '../../src/http/errors.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** Files of one comment: how many, and how large each may be, in bytes. */
const limits = { files: 5, size: 25_000_000 }

/** How much space a client has where no plugin says, in bytes. */
const defaultSpace = 20e9

/** A file as the thread and the API show it. */
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

/** SQL of the files of the comment `c`, with more properties of each, if any. */
export const filesOfComment = (more = '') => `(
  select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size,
    'state', f.state, 'threat', f.threat${more}) order by f.id), '[]')
  from portal.client_comment_files a
    join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
  where a.workspace_id = c.workspace_id and a.comment_id = c.id)`

/** Percent-encoded (RFC 3986, 2.1), like `encodeURIComponent`. */
const encoded = (sql: string) => `(
  select string_agg(case when it ~ '^[A-Za-z0-9_.~-]$' then it
    else regexp_replace(upper(encode(convert_to(it, 'UTF8'), 'hex')), '(..)', '%\\1', 'g') end, '' order by at)
  from regexp_split_to_table(${sql}, '') with ordinality parts (it, at))`

/** Of the subject of kind $3 with the id $4. */
export const address = `, 'address', '/' || $3 || '/' || ${encoded('$4')} || '/comments/files/' || f.id || '/content'`

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
 * Reads the form of a comment and stores the files that came with it, for `keep`. They are removed again where the comment
 * is refused. Throws Invalid where one of them is.
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

interface Attaching extends Keeping {
  comment: string
  /** The space of the client, in bytes. */
  most: number
  /** What was typed beside them. */
  typed: unknown
}

/** Attaches files to a comment, in its transaction. Throws Invalid where there is no space for them. */
export async function attach(tx: Knex, host: Host, it: Attaching, files: ReceivedFile[]) {
  if (!files.length) return
  await keepNewFiles(tx, host, it, files, it.most).catch(error => {
    throw error instanceof NoSpaceLeft ? new Invalid({ files: [error.message] }, it.typed) : error
  })
  await query(tx, {
    text: `insert into portal.client_comment_files (workspace_id, comment_id, client_id, file_id)
           select $1, $2, $3, unnest($4::uuid[])`,
    values: [it.workspace.id, it.comment, it.client, files.map(one => one.id)],
  })
}

/** What views of a thread need to show files, and to take some. */
export const shownFiles = ({ files }: Host) => ({ attachable: files !== undefined, limits, iconOf, isPreviewable })

const typed = z.object({ text: z.string(), line: z.string().optional(), disputed: z.literal('on').optional() })

/** How openapi.json describes the form of a comment. */
export const commentForm = ({ files }: Host): Described => ({
  body: {
    'application/json': typed,
    ...(files && { 'multipart/form-data': typed.extend({ files: z.array(z.file()).max(limits.files).optional() }) }),
  },
})
