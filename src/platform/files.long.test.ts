import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { Upload } from '@tus/utils'
import { expect } from 'chai'
import { v7 as uuid } from 'uuid'
import { S3Service } from '../../test/s3.ts'
import { AlreadyStored, type FileStore, filesIn, MissingFile, StoreFull, StoreUnavailable } from './files.ts'
import { DamagedFile, encryptedFiles } from './files-encrypted.ts'

const [secret, newer] = ['a'.repeat(32), 'b'.repeat(32)] as const
let folder: string
let s3: S3Service

const stores: Record<string, () => FileStore> = {
  'on a disk': () => filesIn(folder),
  'in S3': () => s3.store(),
  'on a disk, encrypted': () => encryptedFiles(filesIn(join(folder, 'encrypted')), [secret]),
  'in S3, encrypted': () => encryptedFiles(s3.store({ prefix: 'portico/encrypted' }), [secret]),
}

const small = Buffer.from('A small file.')
/** More than two parts of S3. */
const large = randomBytes(24_000_000)

async function* inParts(content: Buffer, size = 1_000_003) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

async function* breaking(content: Buffer) {
  yield* inParts(content)
  throw new Error('the client left')
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    error => error,
  )
const keysOf = async (store: FileStore, under = 'a1') => (await Array.fromAsync(store.list(under))).map(it => it.key)

/** What an upload in three requests leaves. */
async function uploaded(store: FileStore, content: Buffer): Promise<string> {
  const uploads = await store.uploads(86_400_000)
  const id = uuid()
  await uploads.create(new Upload({ id, size: content.length, offset: 0, metadata: { filename: 'ñ.txt' } }))
  for (let at = 0; at < content.length; ) {
    const next = content.subarray(at, at + Math.ceil(content.length / 3))
    at = await uploads.write(Readable.from(inParts(next)), id, at)
  }
  return id
}

describe('a file store', function () {
  this.timeout(120_000)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
    s3 = await S3Service.started()
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await s3.end()
  })
  beforeEach(() => {
    s3.fault = () => undefined
    s3.writesOnce = true
  })

  for (const [where, open] of Object.entries(stores))
    describe(where, () => {
      let store: FileStore
      const key = () => `a1/${uuid()}`

      before(() => {
        store = open()
      })

      it('gives back what was written, with its size and hash', async () => {
        for (const content of [small, large, Buffer.alloc(0)]) {
          const at = key()
          const written = await store.write(at, inParts(content))
          expect(written.size).to.equal(content.length)
          expect(written.sha256.toString('hex')).to.equal(sha256(content))
          expect((await buffer(await store.read(at))).equals(content)).to.equal(true)
          await store.remove(at)
          expect(await failure(store.read(at))).to.be.instanceOf(MissingFile)
        }
      })

      it('gives a range of it', async () => {
        const at = key()
        await store.write(at, inParts(large))
        for (const [start, end] of [
          [0, 0],
          [0, 65_535],
          [65_535, 65_536],
          [65_536, 131_071],
          [10_485_750, 10_485_770],
          [large.length - 1, large.length - 1],
          [large.length - 100_000, large.length - 1],
          [0, large.length - 1],
        ] as const) {
          const part = await buffer(await store.read(at, { start, end }))
          expect(part.equals(large.subarray(start, end + 1)), `${start}-${end}`).to.equal(true)
        }
      })

      it('has nothing where a write broke off', async () => {
        for (const content of [small, large]) {
          const at = key()
          expect(await failure(store.write(at, breaking(content)))).to.have.property('message', 'the client left')
          expect(await failure(store.read(at))).to.be.instanceOf(MissingFile)
          expect(await keysOf(store)).to.not.include(at)
        }
        expect(s3.uploads).to.deep.equal([])
      })

      it('never replaces a file', async () => {
        for (const content of [small, large]) {
          const at = key()
          await store.write(at, inParts(content))
          const other = Buffer.from(content).fill('x')
          expect(await failure(store.write(at, inParts(other)))).to.be.instanceOf(AlreadyStored)
          expect((await buffer(await store.read(at))).equals(content)).to.equal(true)
        }
      })

      it('lists a folder with the age of its files, and that folder only', async () => {
        const of = `b${uuid()}`
        const keys = [`${of}/${uuid()}`, `${of}/${uuid()}`]
        for (const it of [...keys, `${of}0/${uuid()}`]) await store.write(it, inParts(small))
        const found = await Array.fromAsync(store.list(of))
        expect(found.map(it => it.key).sort()).to.deep.equal(keys.sort())
        for (const { age } of found) expect(age).to.be.within(-2_000, 30_000)
      })

      it('removes a file that is being read: the reader has all of it, the next one nothing', async () => {
        const at = key()
        await store.write(at, inParts(large))
        const reading = await store.read(at)
        const parts = reading[Symbol.asyncIterator]()
        const first = await parts.next()
        await store.remove(at)
        const rest = [first.value]
        for (let next = await parts.next(); !next.done; next = await parts.next()) rest.push(next.value)
        expect(Buffer.concat(rest).equals(large)).to.equal(true)
        expect(await failure(store.read(at))).to.be.instanceOf(MissingFile)
        await store.remove(at)
      })

      it('takes no key that could lead elsewhere', async () => {
        for (const it of ['../x', 'a1/../b', '/x', 'a1//x', 'a1/X', 'a1/x.txt', '', 'a1/é', 'a1/x\n']) {
          expect(await failure((async () => store.write(it, inParts(small)))()), it).to.be.instanceOf(TypeError)
          expect(await failure((async () => store.read(it))()), it).to.be.instanceOf(TypeError)
          expect(await failure((async () => store.remove(it))()), it).to.be.instanceOf(TypeError)
        }
      })

      it('takes an upload in parts, tells its beginning, and keeps it once', async () => {
        for (const content of [small, large]) {
          const id = await uploaded(store, content)
          const uploads = await store.uploads(86_400_000)
          expect(await uploads.getUpload(id)).to.include({ offset: content.length, size: content.length })
          expect((await uploads.getUpload(id)).metadata).to.deep.include({ filename: 'ñ.txt' })
          const head = await store.head(id, 65_536)
          expect(Buffer.from(head).equals(content.subarray(0, 65_536))).to.equal(true)
          const at = key()
          for (const written of [await store.adopt(id, at), await store.adopt(id, at)]) {
            expect(written.size).to.equal(content.length)
            expect(written.sha256.toString('hex')).to.equal(sha256(content))
          }
          await uploads.remove(id)
          expect(await failure(uploads.getUpload(id))).to.have.property('status_code', 404)
          expect(await failure(store.adopt(id, key()))).to.be.instanceOf(MissingFile)
          expect((await buffer(await store.read(at))).equals(content)).to.equal(true)
        }
      })

      it('keeps what arrived of an upload before the connection was lost', async () => {
        const uploads = await store.uploads(86_400_000)
        const id = uuid()
        await uploads.create(new Upload({ id, size: large.length, offset: 0 }))
        await failure(uploads.write(Readable.from(breaking(large.subarray(0, 10_000_000))), id, 0))
        const { offset } = await uploads.getUpload(id)
        expect(offset).to.be.within(5_000_000, 10_000_000)
        await uploads.write(Readable.from(inParts(large.subarray(offset))), id, offset)
        const at = key()
        expect((await store.adopt(id, at)).sha256.toString('hex')).to.equal(sha256(large))
        await uploads.remove(id)
      })

      it('tidies away uploads that stand still, and nothing else', async () => {
        const [id, at] = [await uploaded(store, small), key()]
        await store.write(at, inParts(small))
        await store.tidy(86_400_000)
        const uploads = await store.uploads(86_400_000)
        expect((await uploads.getUpload(id)).offset).to.equal(small.length)
        await wait(1_100)
        await store.tidy(1)
        expect(await failure(uploads.getUpload(id))).to.have.property('status_code')
        expect(await buffer(await store.read(at))).to.deep.equal(small)
      })

      it('says that it can be written', async () => {
        await store.check()
      })
    })

  describe('in S3', () => {
    it('that is down or fails in the middle says so, and nothing is half there', async () => {
      const store = s3.store()
      await s3.stop()
      const asked = [
        store.write('a1/x', inParts(small)),
        store.read('a1/x'),
        store.check(),
        store.uploads(1).then(it => it.getUpload(uuid())),
      ]
      for (const it of await Promise.all(asked.map(failure))) expect(it).to.be.instanceOf(StoreUnavailable)
      await s3.start()
      let parts = 0
      s3.fault = req => (/partNumber=/.test(req.url ?? '') && ++parts > 1 ? 'cut' : undefined)
      expect(await failure(store.write('a1/x', inParts(large)))).to.be.instanceOf(StoreUnavailable)
      expect(await failure(store.read('a1/x'))).to.be.instanceOf(MissingFile)
      expect(s3.uploads).to.deep.equal([])
    })

    it('that went away before the write could be undone is tidied up a day later', async () => {
      const store = s3.store()
      let parts = 0
      s3.fault = req => (/uploadId=/.test(req.url ?? '') && ++parts > 1 ? 'cut' : undefined)
      expect(await failure(store.write('a1/y', inParts(large)))).to.be.instanceOf(StoreUnavailable)
      s3.fault = () => undefined
      await store.tidy(86_400_000)
      expect(s3.uploads).to.deep.equal(['portico/a1/y'])
      s3.age(2 * 86_400_000)
      await store.tidy(86_400_000)
      expect(s3.uploads).to.deep.equal([])
    })

    it('that is full, or refuses the key, says which', async () => {
      const store = s3.store()
      s3.fault = req => (req.method === 'PUT' ? 'full' : undefined)
      expect(await failure(store.write('a1/z', inParts(small)))).to.be.instanceOf(StoreFull)
      s3.fault = () => 'denied'
      expect(await failure(s3.store().check())).to.have.property('name', 'AccessDenied')
    })

    it('that cannot refuse to replace an object is used without that', async () => {
      s3.writesOnce = false
      const store = s3.store()
      await store.write('a1/w', inParts(large))
      expect((await buffer(await store.read('a1/w'))).equals(large)).to.equal(true)
    })

    it('keeps everything below its prefix', async () => {
      for (const it of await s3.keys()) expect(it).to.match(/^portico\//)
    })
  })

  describe('that is encrypted', () => {
    let inner: FileStore
    let at: string
    /** Three chunks and a half. */
    const content = large.subarray(0, 3 * 65_536 + 32_768)
    const raw = async (key: string) => buffer(await inner.read(key))
    const put = async (key: string, bytes: Buffer) => {
      await inner.remove(key)
      await inner.write(key, inParts(bytes))
    }

    beforeEach(async () => {
      inner = filesIn(mkdtempSync(join(folder, 'sealed-')))
      at = `a1/${uuid()}`
      await encryptedFiles(inner, [secret]).write(at, inParts(content))
    })

    it('has nothing in the clear, of files and of uploads that arrive', async () => {
      const store = encryptedFiles(inner, [secret])
      const words = Buffer.from('These words are in no file as they are. '.repeat(3_000))
      await store.write('a1/words', inParts(words))
      await uploaded(store, words)
      const keys = await Promise.all(['a1', 'uploads', 'keys'].map(it => keysOf(inner, it)))
      expect(keys.flat()).to.have.length.above(6)
      for (const key of keys.flat()) {
        const bytes = await raw(key)
        for (const word of ['words are in', 'filename', secret]) expect(bytes.includes(word), key).to.equal(false)
      }
    })

    it('gives no byte that was changed, moved, cut off or added', async () => {
      const store = encryptedFiles(inner, [secret])
      const bytes = await raw(at)
      const chunk = 65_536 + 16
      const other = `a1/${uuid()}`
      await store.write(other, inParts(content))
      const changed = (place: number) => {
        const copy = Buffer.from(bytes)
        copy[place]! ^= 1
        return copy
      }
      const swapped = Buffer.concat([
        ...[bytes.subarray(0, 80), bytes.subarray(80 + chunk, 80 + 2 * chunk)],
        ...[bytes.subarray(80, 80 + chunk), bytes.subarray(80 + 2 * chunk)],
      ])
      const attempts: Record<string, Buffer> = {
        'the mark': changed(0),
        'the id of the key': changed(5),
        'the key': changed(40),
        'the first byte': changed(80),
        'the last byte': changed(bytes.length - 20),
        'a tag': changed(bytes.length - 1),
        'two chunks swapped': swapped,
        'cut off between chunks': bytes.subarray(0, 80 + 2 * chunk),
        'cut off in a chunk': bytes.subarray(0, 80 + 2 * chunk + 100),
        'cut off after the header': bytes.subarray(0, 80),
        'something added': Buffer.concat([bytes, Buffer.alloc(100)]),
        'another file': await raw(other),
        'a plain file': content,
      }
      for (const [what, attempt] of Object.entries(attempts)) {
        await put(at, attempt)
        const given: Buffer[] = []
        const error = await failure(
          (async () => {
            for await (const part of await encryptedFiles(inner, [secret]).read(at)) given.push(part)
          })(),
        )
        expect(error, what).to.be.instanceOf(Error)
        const whole = Buffer.concat(given)
        expect(whole.equals(content.subarray(0, whole.length)) && whole.length < content.length, what).to.equal(true)
      }
      await put(at, changed(80 + chunk + 5))
      expect(await failure(buffer(await store.read(at, { start: 65_536, end: 65_540 })))).to.be.instanceOf(DamagedFile)
      expect(await buffer(await store.read(at, { start: 0, end: 9 }))).to.deep.equal(content.subarray(0, 10))
    })

    it('is read with an older secret until its keys are sealed with the first one', async () => {
      const reads = async (secrets: string[]) =>
        (await buffer(await encryptedFiles(inner, secrets).read(at))).equals(content)
      expect(await reads([newer, secret])).to.equal(true)
      expect(await failure(reads([newer]))).to.be.instanceOf(Error)
      expect(await encryptedFiles(inner, [newer]).reseal!()).to.deep.equal({ anew: 0, lost: 1 })
      const both = await Promise.all([1, 2].map(() => encryptedFiles(inner, [newer, secret]).reseal!()))
      for (const it of both) expect(it.lost).to.equal(0)
      expect(await reads([newer])).to.equal(true)
      expect(await encryptedFiles(inner, [newer]).reseal!()).to.deep.equal({ anew: 0, lost: 0 })
    })

    it('is written by several instances at once, and each reads what the others wrote', async () => {
      const stores = Array.from({ length: 5 }, () => encryptedFiles(inner, [secret]))
      await Promise.all(stores.map((store, at) => store.write(`c3/${at}`, inParts(small))))
      for (const store of stores)
        for (const at of stores.keys()) expect(await buffer(await store.read(`c3/${at}`))).to.deep.equal(small)
    })

    it('reads files of before only where that is said', async () => {
      await inner.write('a1/before', inParts(content))
      const store = encryptedFiles(inner, [secret], { readsPlain: true })
      expect((await buffer(await store.read('a1/before'))).equals(content)).to.equal(true)
      const part = await buffer(await store.read('a1/before', { start: 5, end: 9 }))
      expect(part).to.deep.equal(content.subarray(5, 10))
      expect((await buffer(await store.read(at))).equals(content)).to.equal(true)
    })
  })
})
