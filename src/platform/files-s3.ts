import { createHash, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { GetObjectCommandInput, S3 } from '@aws-sdk/client-s3'
import {
  AlreadyStored,
  type FileStore,
  MissingFile,
  type StoredFile,
  StoreFull,
  StoreUnavailable,
  safe,
  type Written,
} from './files.ts'
import { adoptParts, headOfParts, partUploads, tidyParts } from './files-in-parts.ts'
import { inPieces } from './pieces.ts'

/** A bucket of Amazon S3, or of another service that speaks its protocol. */
export interface Bucket {
  bucket: string
  /** `us-east-1` if omitted. */
  region?: string
  /** The address of another service: `https://minio.example`. Amazon's if omitted. */
  endpoint?: string
  /** Whether the bucket is in the path of addresses instead of the host's name, as MinIO and others need it. */
  forcePathStyle?: boolean
  /** What the names of all objects begin with: `portico`. Nothing if omitted. */
  prefix?: string
  /** If omitted, found as the AWS SDK does it: environment, shared files, the role of the machine or container. */
  accessKeyId?: string
  secretAccessKey?: string
  /**
   * Whether browsers fetch files from the service itself, by an address that is signed for one file and one minute. The
   * portal still decides who gets one. Needs the package `@aws-sdk/s3-request-presigner`. False if omitted.
   */
  addresses?: boolean
}

/** Bytes of one part. A file has at most 10,000 of them: 100 GB, the most that the limits allow. One is in memory. */
const partSize = 10_485_760

/** Stores files in a bucket. Nothing else may write below the prefix. Needs the package `@aws-sdk/client-s3`. */
export function filesInS3(place: Bucket): FileStore {
  const { bucket: Bucket } = place
  const prefix = place.prefix ? `${place.prefix.replace(/^\/+|\/+$/g, '')}/` : ''
  const at = (key: string) => ({ Bucket, Key: prefix + safe(key) })
  const clock: Clock = { ahead: 0 }
  let connecting: Promise<S3> | undefined
  /** Asks the service; its errors become the store's. */
  const ask = async <T>(request: (s3: S3) => Promise<T>): Promise<T> => {
    connecting ??= connect(place, clock)
    return request(await connecting).catch(told)
  }
  let once: Promise<object> | undefined
  const writer = async (key: string): Promise<Writing> => {
    once ??= onceOf(ask, at).catch(error => {
      once = undefined
      throw error
    })
    return { ask, place: at(key), once: await once }
  }

  const store: FileStore = {
    async write(key, source) {
      return writeParts(await writer(key), source)
    },
    async read(key, range) {
      const object = { ...at(key), Range: range && `bytes=${range.start}-${range.end}` }
      const { Body } = await ask(s3 => s3.getObject(object))
      return Body as Readable
    },
    address: place.addresses
      ? (key, { type, disposition }) => {
          const object = { ...at(key), ResponseContentType: type, ResponseContentDisposition: disposition }
          return ask(s3 => signed(s3, object))
        }
      : undefined,
    async remove(key) {
      const object = at(key)
      await ask(s3 => s3.deleteObject(object))
    },
    async *list(folder) {
      yield* listed(ask, clock, { Bucket, prefix, folder: `${prefix}${safe(folder)}/` })
    },
    uploads: async patience => partUploads(store, patience),
    head: (upload, bytes) => headOfParts(store, upload, bytes),
    adopt: (upload, key) => adoptParts(store, upload, key),
    async tidy(age) {
      await tidyParts(store, age)
      await abortOld(ask, clock, { Bucket, Prefix: prefix, age })
    },
    check: () => probe(ask, at),
  }
  return store
}

type Ask = <T>(request: (s3: S3) => Promise<T>) => Promise<T>
type At = (key: string) => { Bucket: string; Key: string }

/** The package is loaded where a bucket is used, and nowhere else. */
async function connect(place: Bucket, clock: Clock): Promise<S3> {
  const { S3 } = await import('@aws-sdk/client-s3').catch(error => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error('Files in S3 need a package that is not installed: npm install @aws-sdk/client-s3')
  })
  const { region = 'us-east-1', endpoint, forcePathStyle, accessKeyId, secretAccessKey } = place
  const s3 = new S3({
    region,
    endpoint,
    forcePathStyle,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    // Services of others do not have Amazon’s newer checksums; parts are checked by TLS and their signature.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: 60_000,
      httpAgent: { maxSockets: 500, keepAlive: true },
      httpsAgent: { maxSockets: 500, keepAlive: true },
    },
  })
  s3.middlewareStack.add(
    next => async args => {
      const result = await next(args)
      const { date } = (result.response as { headers?: Record<string, string> }).headers ?? {}
      if (date) clock.ahead = Date.parse(date) - Date.now()
      return result
    },
    { step: 'deserialize', priority: 'low' },
  )
  return s3
}

/** Seconds for which an address can be used. */
const validFor = 60

async function signed(s3: S3, object: GetObjectCommandInput): Promise<string> {
  const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/s3-request-presigner').catch(error => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      throw new Error(
        'Signed addresses need a package that is not installed: npm install @aws-sdk/s3-request-presigner',
      )
    }),
  ])
  return getSignedUrl(s3, new GetObjectCommand(object), { expiresIn: validFor })
}

/** By how many milliseconds the service's clock was ahead of this machine's at its last answer. */
interface Clock {
  ahead: number
}

const timeOf = ({ ahead }: Clock) => Date.now() + ahead

/** Codes that are no trouble of the service: our side asks wrongly, and asking again is no use. */
const ours = /^(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|InvalidRange|NotImplemented)$/

function told(error: any): never {
  const { name, message, $metadata } = error
  const status = $metadata?.httpStatusCode
  const about = { cause: error }
  if (name === 'NoSuchKey' || name === 'NotFound') throw new MissingFile('not in the store', about)
  if (status === 412 || name === 'PreconditionFailed') throw new AlreadyStored('in the store already', about)
  if (status === 507 || /^(XMinioStorageFull|QuotaExceeded\w*)$/.test(name)) throw new StoreFull(message, about)
  if (ours.test(name)) throw error
  throw new StoreUnavailable(`the file store does not answer: ${error.code ?? name} ${message}`, about)
}

interface Writing {
  ask: Ask
  place: { Bucket: string; Key: string }
  /** What makes a write fail where there is an object. */
  once: object
}

/** Writes what fits into one part at once, and otherwise part by part: until the last one nothing is there. */
async function writeParts({ ask, place, once }: Writing, source: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = createHash('sha256')
  let size = 0
  let upload: { UploadId: string; Parts: { PartNumber: number; ETag?: string }[] } | undefined
  try {
    for await (const { part, last } of inPieces(source, partSize)) {
      hash.update(part)
      size += part.length
      if (last && !upload) await ask(s3 => s3.putObject({ ...place, ...once, Body: part }))
      else {
        upload ??= { UploadId: (await ask(s3 => s3.createMultipartUpload(place))).UploadId ?? '', Parts: [] }
        const { UploadId, Parts } = upload
        const PartNumber = Parts.length + 1
        const { ETag } = await ask(s3 => s3.uploadPart({ ...place, UploadId, PartNumber, Body: part }))
        Parts.push({ PartNumber, ETag })
      }
    }
    if (upload) {
      const { UploadId, Parts } = upload
      await ask(s3 => s3.completeMultipartUpload({ ...place, ...once, UploadId, MultipartUpload: { Parts } }))
    }
  } catch (error) {
    // What cannot be aborted now is aborted by `tidy`.
    if (upload) await abort(ask, { ...place, UploadId: upload.UploadId }).catch(() => undefined)
    throw error
  }
  return { size, sha256: hash.digest() }
}

const abort = (ask: Ask, upload: { Bucket: string; Key: string; UploadId: string }) =>
  ask(s3 => s3.abortMultipartUpload(upload))

interface Listing {
  Bucket: string
  prefix: string
  folder: string
}

async function* listed(ask: Ask, clock: Clock, { Bucket, prefix, folder: Prefix }: Listing): AsyncIterable<StoredFile> {
  let ContinuationToken: string | undefined
  do {
    const token = ContinuationToken
    const page = await ask(s3 => s3.listObjectsV2({ Bucket, Prefix, ContinuationToken: token }))
    const now = timeOf(clock)
    for (const { Key = '', LastModified } of page.Contents ?? [])
      yield { key: Key.slice(prefix.length), age: now - (LastModified?.getTime() ?? now) }
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (ContinuationToken)
}

/** Ends uploads of parts that are older and were not completed. */
async function abortOld(
  ask: Ask,
  clock: Clock,
  { Bucket, Prefix, age }: Record<'Bucket' | 'Prefix', string> & { age: number },
) {
  let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (from) {
    const markers: object = from
    const page = await ask(s3 => s3.listMultipartUploads({ Bucket, Prefix, ...markers }))
    // Another instance may have done it.
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? [])
      if (Initiated && timeOf(clock) - Initiated.getTime() > age)
        await abort(ask, { Bucket, Key, UploadId }).catch(() => undefined)
    from = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
  }
}

/** Throws where nothing can be written. */
async function probe(ask: Ask, at: At): Promise<void> {
  const object = at(`arriving/${randomUUID()}`)
  await ask(s3 => s3.putObject({ ...object, Body: Buffer.alloc(0) }))
  await ask(s3 => s3.deleteObject(object))
}

/** Not every service can refuse to replace an object; one that cannot says so, or replaces it. */
async function onceOf(ask: Ask, at: At): Promise<object> {
  const IfNoneMatch = '*'
  const object = at(`arriving/${randomUUID()}`)
  try {
    await ask(s3 => s3.putObject({ ...object, IfNoneMatch, Body: Buffer.alloc(0) }))
    return { IfNoneMatch }
  } catch (error: any) {
    if (error?.$metadata?.httpStatusCode !== 501) throw error
    return {}
  } finally {
    await ask(s3 => s3.deleteObject(object)).catch(() => undefined)
  }
}
