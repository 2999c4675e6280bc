import type { Request } from 'express'
import type { FileKind } from '../../src/files/kinds.ts'
import type { Received } from '../../src/files/receive.ts'
import type { Host } from '../../src/plugin/plugin.ts'

interface UploadLimits {
  /** Of one file, and of all files of one client, in bytes. */
  size: number
  space: number
  /** Any, if not given. */
  kinds?: readonly FileKind[]
}

/** Where no plugin says. */
const defaults: UploadLimits = { size: 2e9, space: 20e9 }

/** What clients may send. */
export const clientLimits = async ({ capability }: Host, workspace: string): Promise<UploadLimits> =>
  (await capability('fileLimits')?.of(workspace)) ?? defaults

/** Whether this person may send files here at all. */
export const takesFiles = ({ portal }: Request<any>, { files }: Host): boolean =>
  portal.may('requests.upload') && files !== undefined

/** What a page shows of files that were just sent, or refused, for one item. */
export interface Uploading {
  result?: Pick<Received, 'refused'> & { files: { name: string; size: number }[] }
  /** The id of the item. */
  at?: string
}
