import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { seal, unsealOrUndefined } from './crypto.ts'
import { AlreadyStored, type ByteRange, type FileStore, safe } from './files.ts'
import { adoptParts, headOfParts, partUploads, tidyParts } from './files-in-parts.ts'
import { inPieces } from './pieces.ts'
import { secretId } from './secrets.ts'

interface Settings {
  /** Whether files that were stored before, without encryption, are read as well. False if omitted. */
  readsPlain?: boolean
}

/** The file was changed, cut off or put in the place of another one, in the store. */
export class DamagedFile extends Error {}

/**
 * Stores files encrypted in another store; also uploads while they arrive.
 *
 * Each file has a key of its own, sealed by a key of the workspace in its first 80 bytes, together with the name of the
 * file. Then come chunks of 64 KB, each AES-256-GCM (NIST SP 800-38D) with its number and whether it is the last one as
 * the nonce (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015, as in age). The keys of workspaces are in the store as well,
 * below `keys/`, sealed by the portal's secrets, once for each secret.
 */
export function encryptedFiles(inner: FileStore, secrets: string[], { readsPlain = false }: Settings = {}): FileStore {
  const ring = keyRing(inner, secrets)
  const store: FileStore = {
    ...inner,
    // Only the portal can decrypt.
    address: undefined,
    async write(key, source) {
      const { id, secret } = await ring.current(workspaceOf(key))
      const fileKey = randomBytes(32)
      const header = Buffer.concat([magic, bytesOf(id), wrapped(fileKey, secret, nameOf(id, key))])
      const hash = createHash('sha256')
      let size = 0
      async function* plain() {
        for await (const part of source) {
          hash.update(part)
          size += part.length
          yield part
        }
      }
      await inner.write(key, encrypted(plain(), fileKey, header))
      return { size, sha256: hash.digest() }
    },
    async read(key, range) {
      const header = await buffer(await inner.read(key, { start: 0, end: headerSize - 1 }))
      if (!header.subarray(0, 4).equals(magic)) {
        if (readsPlain) return inner.read(key, range)
        throw new DamagedFile(`${key} is not encrypted`)
      }
      const fileKey = await keyIn(header, key, ring)
      const source = await inner.read(key, chunksOf(range))
      const content = Readable.from(decrypted(source, fileKey, range), { objectMode: false })
      // One that is never read ends as well.
      return content.once('close', () => source.destroy())
    },
    uploads: async patience => partUploads(store, patience),
    head: (upload, bytes) => headOfParts(store, upload, bytes),
    adopt: (upload, key) => adoptParts(store, upload, key),
    async tidy(age) {
      await inner.tidy(age)
      await tidyParts(inner, age)
    },
    reseal: ring.reseal,
  }
  return store
}

const magic = Buffer.from('PFE1')
/** The mark, the id of the workspace's key, and the file's own key with its nonce and tag. */
const headerSize = 4 + 16 + 60
const chunkSize = 65_536
const tagSize = 16

/** A workspace is what a key begins with; uploads that arrive have one key together. */
const workspaceOf = (key: string) => safe(key).split('/')[0] ?? ''
const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const nameOf = (id: string, key: string) => Buffer.from(`PFE1 ${id} ${key}`)

async function keyIn(header: Buffer, key: string, ring: KeyRing): Promise<Buffer> {
  const id = header
    .subarray(4, 20)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const secret = await ring.find(workspaceOf(key), id)
  return opened({ sealed: header.subarray(32), nonce: header.subarray(20, 32), key: secret, about: nameOf(id, key) })
}

/** A nonce, the key, and a tag. */
function wrapped(fileKey: Buffer, secret: Buffer, about: Buffer): Buffer {
  const nonce = randomBytes(12)
  return Buffer.concat([nonce, closed({ plain: fileKey, nonce, key: secret, about })])
}

async function* encrypted(source: AsyncIterable<Uint8Array>, key: Buffer, header: Buffer) {
  yield header
  let at = 0
  for await (const { part, last } of inPieces(source, chunkSize))
    yield closed({ plain: part, nonce: nonceOf(at++, last), key })
}

/** Gives only bytes that are proved to be those that were written, and their place. */
async function* decrypted(source: Readable, key: Buffer, range: ByteRange | undefined) {
  const first = Math.floor((range?.start ?? 0) / chunkSize)
  let at = first
  for await (const { part: sealed, last } of inPieces(source, chunkSize + tagSize)) {
    const plain = openedChunk({ sealed, at, last, key, whole: !range })
    const start = at * chunkSize
    yield range ? plain.subarray(Math.max(0, range.start - start), Math.max(0, range.end + 1 - start)) : plain
    at++
  }
}

interface Chunk {
  sealed: Buffer
  at: number
  /** Whether nothing follows of what was asked for. */
  last: boolean
  key: Buffer
  /** Whether the whole file was asked for: what was cut off is noticed then. */
  whole: boolean
}

function openedChunk({ sealed, at, last, key, whole }: Chunk): Buffer {
  const open = (isLast: boolean) => opened({ sealed, nonce: nonceOf(at, isLast), key })
  if (whole || !last) return open(last)
  if (sealed.length < chunkSize + tagSize) return open(true)
  try {
    return open(false)
  } catch {
    return open(true)
  }
}

/** Where in the store the chunks are that hold a range. */
function chunksOf(range: ByteRange | undefined): ByteRange {
  const placeOf = (chunk: number) => headerSize + chunk * (chunkSize + tagSize)
  if (!range) return { start: headerSize, end: 2 ** 47 }
  const [first, last] = [range.start, range.end].map(it => Math.floor(it / chunkSize)) as [number, number]
  return { start: placeOf(first), end: placeOf(last + 1) - 1 }
}

/** Never the same twice for a key: eleven bytes of the number, and one that says whether it is the last. */
function nonceOf(at: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(at, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}

interface Sealing {
  nonce: Buffer
  key: Buffer
  /** What is not in it and must be the same when it is opened. */
  about?: Buffer
}

function closed({ plain, nonce, key, about }: Sealing & { plain: Uint8Array }): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  if (about) cipher.setAAD(about)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Throws DamagedFile. */
function opened({ sealed, nonce, key, about }: Sealing & { sealed: Buffer }): Buffer {
  if (sealed.length < tagSize) throw new DamagedFile('the file is cut off')
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize })
  if (about) decipher.setAAD(about)
  decipher.setAuthTag(sealed.subarray(-tagSize))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagSize)), decipher.final()])
  } catch (cause) {
    throw new DamagedFile('the file is not as it was written', { cause })
  }
}

type KeyRing = ReturnType<typeof keyRing>

/**
 * The keys of workspaces. A workspace may have several, where two instances stored its first file at once: each file says
 * which one is its own.
 */
function keyRing(store: FileStore, secrets: string[]) {
  const ids = secrets.map(it => Buffer.from(secretId(it), 'base64url').toString('hex'))
  const known = new Map<string, Promise<Buffer>>()
  const currents = new Map<string, Promise<{ id: string; secret: Buffer }>>()
  const placeOf = (workspace: string, id: string) => `keys/${workspace}/${id}`

  /** Throws where none of the secrets opens it. */
  const open = async (place: string): Promise<Buffer> => {
    const found = new Set((await Array.fromAsync(store.list(place))).map(it => it.key))
    for (const id of ids.map(it => `${place}/${it}`)) {
      if (!found.has(id)) continue
      const text = unsealOrUndefined(await buffer(await store.read(id)), secrets, 'file key')
      const [where, key = ''] = text?.split(' ') ?? []
      if (where === place) return Buffer.from(key, 'base64')
    }
    throw new Error(`none of the portal's secrets opens ${place} in the file store`)
  }
  const save = async (place: string, key: Buffer) => {
    const sealed = seal(`${place} ${key.toString('base64')}`, secrets, 'file key')
    await store.write(`${place}/${ids[0]}`, only(sealed)).catch(ignoreStored)
  }
  const find = (workspace: string, id: string) => remembered(known, placeOf(workspace, id), open)
  const begin = async (workspace: string) => {
    for (const { id } of await keysIn(store, `keys/${workspace}`)) {
      const secret = await find(workspace, id).catch(() => undefined)
      if (secret) return { id, secret }
    }
    const [id, secret] = [randomUUID(), randomBytes(32)]
    await save(placeOf(workspace, id), secret)
    return { id, secret }
  }

  return {
    find,
    /** The key for new files of a workspace. */
    current: (workspace: string) => remembered(currents, workspace, begin),
    async reseal() {
      const sum = { anew: 0, lost: 0 }
      for (const { place, sealedBy } of await keysIn(store, 'keys')) {
        if (sealedBy.has(ids[0] ?? '')) continue
        const key = await open(place).catch(() => undefined)
        if (key) await save(place, key)
        sum[key ? 'anew' : 'lost']++
      }
      return sum
    },
  }
}

async function keysIn(store: FileStore, folder: string) {
  const places = new Map<string, { id: string; place: string; sealedBy: Set<string> }>()
  for await (const { key } of store.list(folder)) {
    const [, workspace, id = '', secret = ''] = key.split('/')
    const place = `keys/${workspace}/${id}`
    const entry = places.get(place) ?? { id, place, sealedBy: new Set() }
    entry.sealedBy.add(secret)
    places.set(place, entry)
  }
  return [...places.values()].sort((a, b) => a.place.localeCompare(b.place))
}

/** Asked once, unless it failed. */
function remembered<T>(answers: Map<string, Promise<T>>, key: string, ask: (key: string) => Promise<T>): Promise<T> {
  const answer = answers.get(key) ?? ask(key)
  answers.set(key, answer)
  answer.catch(() => answers.delete(key))
  return answer
}

async function* only(part: Uint8Array) {
  yield part
}

const ignoreStored = (error: unknown) => {
  if (!(error instanceof AlreadyStored)) throw error
}
