import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startFauxqs } from 'fauxqs'
import { filesInS3 } from '../src/index.ts'

type Server3 = Awaited<ReturnType<typeof startFauxqs>>

/** Decides what becomes of a request: undefined is nothing special. */
type Fault = (req: IncomingMessage) => 'cut' | 'full' | 'denied' | undefined

/**
 * An S3 service, behind a proxy that breaks what it is told to and knows two things that the service does not: writing
 * once (`If-None-Match`), and the list of uploads of parts.
 */
export class S3Service {
  readonly bucket = 'files'
  fault: Fault = () => undefined
  /** Whether it can refuse to replace an object, as Amazon’s can. */
  writesOnce = true
  readonly requests: string[] = []
  #service: Server3 | undefined
  #proxy: Server | undefined
  #port = 0
  #uploads = new Map<string, { key: string; began: Date }>()

  static async started(): Promise<S3Service> {
    const it = new S3Service()
    it.#service = await startFauxqs({ port: 0, logger: false })
    it.#service.createBucket(it.bucket)
    await it.start()
    return it
  }

  get endpoint() {
    return `http://127.0.0.1:${this.#port}`
  }

  store(more: object = {}) {
    const key = { accessKeyId: 'test', secretAccessKey: 'test' }
    const { bucket, endpoint } = this
    return filesInS3({ bucket, endpoint, forcePathStyle: true, prefix: 'portico', ...key, ...more })
  }

  /** What takes connections; the same port after `stop`. */
  async start() {
    this.#proxy = createServer((req, res) => this.#answer(req, res).catch(() => res.destroy()))
    await new Promise<void>(done => this.#proxy?.listen(this.#port, '127.0.0.1', done))
    this.#port = (this.#proxy.address() as AddressInfo).port
  }

  async stop() {
    const proxy = this.#proxy
    proxy?.closeAllConnections()
    await new Promise(done => (proxy ? proxy.close(done) : done(undefined)))
  }

  async end() {
    await this.stop()
    await this.#service?.stop()
  }

  /** The names of all objects. */
  async keys(): Promise<string[]> {
    const text = await (await fetch(`${this.#address}/${this.bucket}?list-type=2`)).text()
    return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(it => it[1]!)
  }

  async bytes(key: string): Promise<Buffer> {
    return Buffer.from(await (await fetch(`${this.#address}/${this.bucket}/${key}`)).arrayBuffer())
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await fetch(`${this.#address}/${this.bucket}/${key}`, { method: 'PUT', body: new Uint8Array(body) })
  }

  /** The names of uploads of parts that are neither completed nor aborted. */
  get uploads(): string[] {
    return [...this.#uploads.values()].map(it => it.key)
  }

  /** Lets uploads of parts be older. */
  age(milliseconds: number) {
    for (const it of this.#uploads.values()) it.began = new Date(it.began.getTime() - milliseconds)
  }

  get #address() {
    return `http://127.0.0.1:${this.#service?.port}`
  }

  async #answer(req: IncomingMessage, res: ServerResponse) {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://s3')
    this.requests.push(`${req.method} ${req.url}`)
    const fault = this.fault(req)
    if (fault === 'cut') return void req.socket.destroy()
    if (fault === 'full') return refuse(res, 507, 'XMinioStorageFull')
    if (fault === 'denied') return refuse(res, 403, 'AccessDenied')
    if (req.method === 'GET' && searchParams.has('uploads')) return this.#listUploads(res)
    const writes = req.method === 'PUT' || (req.method === 'POST' && searchParams.has('uploadId'))
    if (writes && req.headers['if-none-match'] === '*') {
      if (!this.writesOnce) return refuse(res, 501, 'NotImplemented')
      const there = await fetch(this.#address + pathname, { method: 'HEAD' })
      if (there.ok) return refuse(res, 412, 'PreconditionFailed')
    }
    this.#passOn(req, res)
  }

  #listUploads(res: ServerResponse) {
    const uploads = [...this.#uploads].map(
      ([id, { key, began }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${began.toISOString()}</Initiated></Upload>`,
    )
    res.setHeader('Content-Type', 'application/xml')
    res.end(`<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`)
  }

  #passOn(req: IncomingMessage, res: ServerResponse) {
    const { method, headers, url = '' } = req
    const { pathname, searchParams } = new URL(url, 'http://s3')
    const passed = request(this.#address + url, { method, headers }, answer => {
      res.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(res)
      if (method === 'POST' && searchParams.has('uploads')) this.#remember(answer, pathname)
      const ended = method === 'DELETE' || method === 'POST'
      if (ended && answer.statusCode! < 300) this.#uploads.delete(searchParams.get('uploadId') ?? '')
    })
    passed.on('error', () => res.destroy())
    req.on('error', () => passed.destroy())
    req.pipe(passed)
  }

  #remember(answer: IncomingMessage, pathname: string) {
    let text = ''
    answer.on('data', part => {
      text += part
    })
    answer.on('end', () => {
      const [, id = ''] = /<UploadId>([^<]+)/.exec(text) ?? []
      this.#uploads.set(id, { key: pathname.slice(this.bucket.length + 2), began: new Date() })
    })
  }
}

function refuse(res: ServerResponse, status: number, code: string) {
  res.writeHead(status, { 'Content-Type': 'application/xml', Connection: 'close' })
  res.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
