import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { DataStore, ERRORS, Upload } from '@tus/utils'
import { AlreadyStored, type FileStore, hashOf, MissingFile, type Written } from './files.ts'

/**
 * Uploads that can be resumed, for a store whose files cannot grow: each part that arrives is a file of its own, named by
 * where it begins and how long it is, and `adoptParts` makes one file of them.
 */
type Parts = Pick<FileStore, 'write' | 'read' | 'remove' | 'list'>

/** Bytes of a part at most. They are in memory while the part arrives. */
const largest = 8_388_608

const folder = 'uploads'
const folderOf = (id: string) => `${folder}/${id}`
const infoOf = (id: string) => `${folderOf(id)}/info`

class PartUploads extends DataStore {
  readonly #store: Parts
  readonly #patience: number

  constructor(store: Parts, patience: number) {
    super()
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration']
    this.#store = store
    this.#patience = patience
  }

  override async create(upload: Upload): Promise<Upload> {
    upload.creation_date = new Date().toISOString()
    await this.#store.write(infoOf(upload.id), once(Buffer.from(JSON.stringify(upload))))
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    const info = await this.#store.read(infoOf(id)).catch(noUpload)
    const { size, metadata, creation_date } = JSON.parse((await buffer(info)).toString())
    return new Upload({ id, size, metadata, creation_date, offset: lengthOf(await chainOf(this.#store, id)) })
  }

  /** What has arrived before the connection was lost is kept. */
  override async write(source: Readable, id: string, offset: number): Promise<number> {
    let at = offset
    let waiting: Buffer[] = []
    let bytes = 0
    const store = async () => {
      const part = Buffer.concat(waiting)
      waiting = []
      bytes = 0
      if (part.length) await this.#store.write(partOf(id, at, part.length), once(part))
      at += part.length
    }
    try {
      for await (const part of source) {
        waiting.push(part)
        bytes += part.length
        if (bytes >= largest) await store()
      }
    } finally {
      await store()
    }
    return at
  }

  override async remove(id: string): Promise<void> {
    const parts = await Array.fromAsync(this.#store.list(folderOf(id)))
    if (!parts.length) throw ERRORS.FILE_NOT_FOUND
    // The one by which it is found goes last: what was interrupted can be done again.
    for (const { key } of parts) if (key !== infoOf(id)) await this.#store.remove(key)
    await this.#store.remove(infoOf(id))
  }

  override deleteExpired = () => tidyParts(this.#store, this.#patience)
  override getExpiration = () => this.#patience
}

export const partUploads = (store: Parts, patience: number): DataStore => new PartUploads(store, patience)

/** The first bytes of an upload. */
export async function headOfParts(store: Parts, upload: string, bytes: number): Promise<Uint8Array> {
  const head: Uint8Array[] = []
  for await (const part of contentOf(store, await chainOf(store, upload))) {
    head.push(part)
    if (head.reduce((sum, it) => sum + it.length, 0) >= bytes) break
  }
  return Buffer.concat(head).subarray(0, bytes)
}

/** Makes one file of an upload. */
export async function adoptParts(store: Parts, upload: string, key: string): Promise<Written> {
  await store.read(infoOf(upload)).then(it => it.destroy())
  const parts = await chainOf(store, upload)
  return store.write(key, contentOf(store, parts)).catch(async error => {
    if (error instanceof AlreadyStored) return hashOf(await store.read(key))
    throw error
  })
}

/** Removes uploads to which nothing was added for so many milliseconds. Returns how many. */
export async function tidyParts(store: Parts, age: number): Promise<number> {
  const uploads = new Map<string, { youngest: number; keys: string[] }>()
  for await (const it of store.list(folder)) {
    const id = it.key.split('/')[1] ?? ''
    const { youngest, keys } = uploads.get(id) ?? { youngest: it.age, keys: [] }
    uploads.set(id, { youngest: Math.min(youngest, it.age), keys: [...keys, it.key] })
  }
  const old = [...uploads.values()].filter(it => it.youngest > age)
  for (const { keys } of old) for (const key of keys) await store.remove(key)
  return old.length
}

interface Part {
  key: string
  start: number
  size: number
}

/** Two parts that begin at one place, by two requests at once, have names of their own. */
const partOf = (id: string, start: number, size: number) =>
  `${folderOf(id)}/${String(start).padStart(15, '0')}-${size}-${randomUUID()}`

/** The parts that follow each other without a gap. What overlaps arrived twice. */
async function chainOf(store: Parts, id: string): Promise<Part[]> {
  const keys: string[] = []
  for await (const { key } of store.list(folderOf(id))) if (key !== infoOf(id)) keys.push(key)
  const chain: Part[] = []
  for (const key of keys.sort()) {
    const [start = 0, size = 0] = key
      .slice(folderOf(id).length + 1)
      .split('-')
      .map(Number)
    if (start === lengthOf(chain)) chain.push({ key, start, size })
  }
  return chain
}

const lengthOf = (chain: Part[]) => (chain.at(-1)?.start ?? 0) + (chain.at(-1)?.size ?? 0)

/** The next part is asked for while one is read. */
async function* contentOf(store: Parts, parts: Part[]) {
  let next = parts[0] && store.read(parts[0].key)
  try {
    for (const at of parts.keys()) {
      const content = await next!
      const following = parts[at + 1]
      next = following && store.read(following.key)
      next?.catch(() => undefined)
      yield* content
    }
  } finally {
    next?.then(it => it.destroy()).catch(() => undefined)
  }
}

async function* once(part: Uint8Array) {
  yield part
}

const noUpload = (error: unknown): never => {
  throw error instanceof MissingFile || error instanceof TypeError ? ERRORS.FILE_NOT_FOUND : error
}
