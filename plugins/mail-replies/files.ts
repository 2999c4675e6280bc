import { v7 as uuid } from 'uuid'
import { type FileKind, headSize, RefusedFile, refuseKind, typeOf } from '../../src/files/kinds.ts'
import { fileKey, type ReceivedFile } from '../../src/files/receive.ts'
import { AlreadyStored } from '../../src/platform/files.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import type { IncomingFile } from './incoming.ts'

/** Of one mail: how many files, and bytes of each, unless the workspace allows less. */
const most = { files: 20, size: 25_000_000 }

interface Stored {
  files: ReceivedFile[]
  /** Names of those that are not accepted. */
  refused: string[]
}

/** Stores the files of a mail, by the rules of other uploads. Each that is not accepted is named. */
export async function storeFiles(host: Host, workspace: string, files: IncomingFile[]): Promise<Stored> {
  const stored: Stored = { files: [], refused: [] }
  if (!files.length) return stored
  const limits = await host.capability('fileLimits')?.of(workspace)
  const size = Math.min(most.size, limits?.size ?? most.size)
  try {
    for (const [at, file] of files.entries()) {
      const type = at < most.files ? await typeIfAccepted(file, size, limits?.kinds) : undefined
      const kept = type !== undefined && host.files !== undefined
      if (kept) stored.files.push(await storeFile(host.files!, workspace, { ...file, type }))
      else stored.refused.push(file.name)
    }
  } catch (error) {
    await discardFiles(host, workspace, stored.files)
    throw error
  }
  return stored
}

/** The type by the content; undefined for a file that is not accepted. */
async function typeIfAccepted({ name, content }: IncomingFile, size: number, kinds: readonly FileKind[] | undefined) {
  if (!content.length || content.length > size) return undefined
  try {
    const type = await typeOf(content.subarray(0, headSize), name)
    if (kinds) refuseKind(type, kinds)
    return type
  } catch (error) {
    if (!(error instanceof RefusedFile)) throw error
    return undefined
  }
}

async function storeFile(
  store: NonNullable<Host['files']>,
  workspace: string,
  { name, type, content }: IncomingFile & { type: string },
): Promise<ReceivedFile> {
  const id = uuid()
  return { id, name, type, ...(await store.write(fileKey(workspace, id), once(content))) }
}

async function* once(content: Uint8Array) {
  yield content
}

/** Removes files that no row knows. */
export const discardFiles = (host: Host, workspace: string, files: ReceivedFile[]) =>
  Promise.allSettled(files.map(it => host.files?.remove(fileKey(workspace, it.id))))

/** Where files of mails that are held are kept: apart from those that clients have sent. */
const folderOf = (workspace: string) => `held-mail/${Buffer.from(workspace).toString('hex')}`
const mailKey = (workspace: string, key: string) => `${folderOf(workspace)}/${key}`

/** Keeps the files of a mail that is held. False where none can be stored. */
export async function keepHeldFiles(
  host: Host,
  workspace: string,
  key: string,
  files: IncomingFile[],
): Promise<boolean> {
  if (!host.files) return false
  await host.files.write(mailKey(workspace, key), serialized(files)).catch(error => {
    // Another process holds the same mail, with the same files.
    if (!(error instanceof AlreadyStored)) throw error
  })
  return true
}

/** Reads them again. Throws MissingFile. */
export async function readHeldFiles(host: Host, workspace: string, key: string): Promise<IncomingFile[]> {
  const parts = await host.files!.read(mailKey(workspace, key)).then(it => it.toArray())
  const its: { name: string; content: string }[] = JSON.parse(Buffer.concat(parts).toString('utf8'))
  return its.map(({ name, content }) => ({ name, content: Buffer.from(content, 'base64') }))
}

/** JSON, a file at a time. */
async function* serialized(files: IncomingFile[]) {
  for (const [at, { name, content }] of files.entries())
    yield Buffer.from(`${at ? ',' : '['}${JSON.stringify({ name, content: Buffer.from(content).toString('base64') })}`)
  yield Buffer.from(']')
}

export const removeHeldFiles = async (host: Host, workspace: string, key: string) =>
  host.files?.remove(mailKey(workspace, key))

/** Removes files of mails that are no longer held, and of those whose note was never made. */
export async function sweepHeldFiles(host: Host, workspace: string, held: Set<string>): Promise<void> {
  const day = 86_400_000
  for await (const { key, age } of host.files?.list(folderOf(workspace)) ?? []) {
    const id = key.slice(key.lastIndexOf('/') + 1)
    if (!held.has(id) && age > day) await host.files?.remove(key)
  }
}
