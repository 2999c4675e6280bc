import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as listener } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { invoicesContract } from '../plugins/invoices/contract.ts'
import { fileUnder } from '../src/crm/files/folder.ts'
import { fileAt } from '../src/crm/files/web.ts'
import type { FileMap } from '../src/crm/mapping/map.ts'
import { adapterOf, type Customer, problemsOf } from '../src/index.ts'
import { isPublic } from '../src/platform/public-addresses.ts'
import { root } from '../src/platform/root.ts'
import { postgres, today, urlOf } from './database.ts'
import kite from './kite/crm.map.ts'

const pdf = Buffer.from('%PDF-1.7 a paper of the CRM’s own')

/** What a promise is refused with, by its name and sentence. */
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    it => `no refusal, but ${it}`,
    error => `${error.constructor.name}: ${error.message} ${error.cause?.message ?? ''}`,
  )

describe('a file of the CRM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
  const inside = join(folder, 'papers')

  before(() => {
    mkdirSync(join(inside, '2026'), { recursive: true })
    writeFileSync(join(inside, '2026', 'one.pdf'), pdf)
    writeFileSync(join(folder, 'secret.pdf'), pdf)
    mkdirSync(join(folder, 'papers-of-others'))
    writeFileSync(join(folder, 'papers-of-others', 'two.pdf'), pdf)
    symlinkSync(join(folder, 'secret.pdf'), join(inside, 'link.pdf'))
    symlinkSync(folder, join(inside, 'out'))
    symlinkSync(join(inside, '2026'), join(inside, 'within'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('is read by its path under a folder, and one that is not there is none', async () => {
    expect(await fileUnder(inside, '2026/one.pdf')).to.deep.equal(pdf)
    expect(await fileUnder(inside, './2026//one.pdf')).to.deep.equal(pdf)
    for (const path of ['2027/one.pdf', '2026/one.pdf/more'])
      expect(await fileUnder(inside, path), path).to.equal(undefined)
  })

  it('never reads outside its folder, for any path', async () => {
    for (const path of [
      '../secret.pdf',
      '2026/../../secret.pdf',
      '../papers-of-others/two.pdf',
      join(folder, 'secret.pdf'),
      '/etc/passwd',
      'C:\\secret.pdf',
      '..\\secret.pdf',
      '2026/one.pdf\0.png',
      'link.pdf',
      'out/secret.pdf',
      'within/one.pdf',
      '2026',
      '.',
      '..',
    ])
      expect(await refusal(fileUnder(inside, path)), path).to.match(/^Refused/)
  })
})

describe('a file at an address', () => {
  const servers: Server[] = []
  const serve = async (answer: Parameters<typeof createServer>[1]) => {
    const server = createServer(answer as never)
    servers.push(server)
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  after(() => {
    for (const it of servers) it.closeAllConnections()
    for (const it of servers) it.close()
  })
  const own = (host: string) => [{ host, inside: true }]

  it('is fetched from a host of the map, with what the CRM wants to be told', async () => {
    const host = await serve((req, res) =>
      res.writeHead(req.headers.authorization === 'Bearer crm' ? 200 : 401).end(pdf),
    )
    const headers = { Authorization: 'Bearer crm' }
    expect(await fileAt(`http://${host}/a.pdf`, { hosts: own(host), headers })).to.deep.equal(pdf)
    expect(await refusal(fileAt(`http://${host}/a.pdf`, { hosts: own(host) }))).to.match(/CrmUnavailable.*401/)
  })

  it('is not fetched from any other, nor over one that leads there', async () => {
    const asked: string[] = []
    const other = await serve((req, res) => {
      asked.push(`${req.url} ${req.headers.authorization}`)
      res.end(pdf)
    })
    const host = await serve((req, res) => {
      const to = { '/out': `http://${other}/`, '/file': 'file:///etc/passwd', '/round': '/round' }[req.url!] ?? '/last'
      if (req.url === '/last') return res.end(pdf)
      res.writeHead(302, { Location: to }).end()
    })
    const hosts = own(host)
    for (const address of [
      `http://${other}/`,
      `http://${host}/out`,
      `http://${host}/file`,
      `http://${host}/round`,
      `http://${host}@${other}/`,
      `http://me:secret@${host}/last`,
      `http://127.1:${host.split(':')[1]}0/`,
      `file:///etc/passwd`,
      `ftp://${host}/last`,
      'no address',
      '//127.0.0.1/',
    ])
      expect(await refusal(fileAt(address, { hosts })), address).to.match(/^Refused/)
    expect(asked).to.deep.equal([])
    expect(await fileAt(`http://${host}/moved`, { hosts })).to.deep.equal(pdf)

    const both = [...hosts, ...own(other)]
    await fileAt(`http://${host}/out`, { hosts: both, headers: { Authorization: 'Bearer crm' } })
    expect(asked).to.deep.equal(['/ undefined'])
  })

  it('of a public host is fetched over TLS alone, and never from an address of our own network', async () => {
    const port = (await serve((_req, res) => res.end(pdf))).split(':')[1]
    for (const name of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `[::ffff:7f00:1]:${port}`]) {
      const hosts = [{ host: name }]
      expect(await refusal(fileAt(`https://${name}/`, { hosts })), name).to.match(/^Refused: .*no public address/)
      expect(await refusal(fileAt(`http://${name}/`, { hosts })), name).to.match(/^Refused: .*only https/)
    }
    for (const it of ['10.1.2.3', '169.254.169.254', '192.168.1.1', '172.31.0.1', '100.64.0.1', '0.0.0.0', '224.0.0.1'])
      expect(isPublic(it), it).to.equal(false)
    for (const it of [
      '::1',
      '::',
      'fd00::1',
      'fe80::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
      'ff02::1',
      '::7f00:1',
      '3fff::1',
      '4000::1',
    ])
      expect(isPublic(it), it).to.equal(false)
    for (const it of ['1.1.1.1', '93.184.215.14', '2606:4700::1111', '::ffff:1.1.1.1'])
      expect(isPublic(it), it).to.equal(true)
  })

  it('is given up where it is too long on its way, too large, or nobody answers', async () => {
    const slow = await serve((_req, res) => void res.write('%PDF-'))
    expect(await refusal(fileAt(`http://${slow}/`, { hosts: own(slow), within: 100 }))).to.match(/CrmUnavailable/)
    const huge = await serve((_req, res) => {
      const more = () => res.write(Buffer.alloc(1_000_000)) && setImmediate(more)
      res.on('drain', more)
      more()
    })
    expect(await refusal(fileAt(`http://${huge}/`, { hosts: own(huge) }))).to.match(/^Refused: .*more than/)
    const closed = listener().listen(0)
    const gone = `127.0.0.1:${(closed.address() as AddressInfo).port}`
    await new Promise(done => closed.close(done))
    expect(await refusal(fileAt(`http://${gone}/`, { hosts: own(gone) }))).to.match(/CrmUnavailable.*ECONNREFUSED/)
    const none = await serve((_req, res) => void res.writeHead(404).end('%PDF-'))
    expect(await fileAt(`http://${none}/`, { hosts: own(none) })).to.equal(undefined)
  })
})

describe('the CRM’s own PDF by a map', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-own-'))
  let owner: Knex
  let server: Server
  let host: string

  before(async () => {
    await postgres.raw('create database files')
    owner = knex({ client: 'pg', connection: urlOf('files'), pool: { min: 0, max: 4 } })
    await owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    server = createServer((_req, res) => res.end(pdf))
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    writeFileSync(join(folder, 'K-101.pdf'), pdf)
    writeFileSync(join(folder, 'K-102.pdf'), '<script>alert(1)</script>')
    await owner.raw(
      `alter table billing_invoice add path text, add address text;
       update billing_invoice set path = number || '.pdf', address = 'http://${host}/' || number;
       update billing_invoice set path = '../K-104.pdf', address = 'http://169.254.169.254/' where number = 'K-104';
       create table kept_files (id serial primary key, about uuid, content bytea, kind text);
       insert into kept_files (about, content, kind)
         select id, convert_to('old', 'utf8'), 'pdf' from billing_invoice union all
         select id, decode('${pdf.toString('hex')}', 'hex'), 'pdf' from billing_invoice where number <> 'K-102' union all
         select id, convert_to('<script>', 'utf8'), 'html' from billing_invoice`,
    )
  })
  after(async () => {
    server.close()
    await owner.destroy()
    rmSync(folder, { recursive: true })
  })

  const customer = (client: string): Customer => ({
    workspace: { id: 'kite', slug: 'kite', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
    client: { id: client, name: '' },
    person: { id: '', name: '', email: '' },
    role: 'admin',
    today,
  })
  const withFile = (file: FileMap) => ({ ...kite, invoices: { ...kite.invoices!, file } })
  const ways: Record<string, () => FileMap> = {
    'a path under a folder': () => ({ under: folder, path: 'path' }),
    'an address on a host': () => ({ at: 'address', hosts: [{ host, inside: true }] }),
    'bytes of a table of files': () => ({
      table: 'kept_files',
      of: 'about',
      only: { kind: ['pdf'] },
      bytes: 'content',
    }),
    'a function': () => ({ read: async ({ client }) => (client === '1' ? pdf : undefined) }),
  }

  for (const [way, file] of Object.entries(ways)) {
    describe(`as ${way}`, () => {
      const port = () => adapterOf(withFile(file()), owner).connect(customer('1')).invoices!
      const idOf = async (number: string) => (await owner('billing_invoice').where({ number }).first('id')).id

      it('is sent for the client’s own documents only', async () => {
        expect(await problemsOf(withFile(file()), owner)).to.deep.equal([])
        expect(await port().pdf!(await idOf('K-101'))).to.deep.equal({ name: 'K-101', bytes: pdf })
        for (const foreign of [await idOf('K-103'), await idOf('K-107'), 'nonsense'])
          expect(await port().pdf!(foreign), foreign).to.equal(undefined)
      })

      if (way !== 'a function')
        it('is refused where it is not to be trusted', async () => {
          const wrong = way === 'an address on a host' ? 'K-104' : 'K-102'
          expect(await refusal(port().pdf!(await idOf(wrong)))).to.match(/^Refused/)
          if (way === 'a path under a folder')
            expect(await refusal(port().pdf!(await idOf('K-104')))).to.match(/^Refused/)
        })
    })
  }

  describe('keeps the contract', () => {
    const file = ways['bytes of a table of files']!
    before(() =>
      owner.raw(`delete from kept_files where about = (select id from billing_invoice where number = 'K-102')`),
    )
    invoicesContract(async () => ({
      crm: adapterOf(withFile(file()), owner),
      mine: customer('1'),
      theirs: customer('2'),
    }))
  })

  it('is told what is wrong with its entry', async () => {
    const wrong = async (file: object) => (await problemsOf(withFile(file as FileMap), owner)).map(it => it.sentence)
    expect(await wrong({ under: 'relative', path: 'path' })).to.match(
      /invoices.file.under: must be the whole path of a folder/,
    )
    expect(await wrong({ at: 'address', hosts: [] })).to.match(/invoices.file.hosts: must name a host/)
    expect(await wrong({ bytes: 'subject' })).to.match(/billing_invoice.subject: is .*cannot be a file/)
    expect(await wrong({ under: folder, path: 'pth' })).to.match(
      /billing_invoice.pth: no such column; did you mean path/,
    )
    expect(await wrong({ table: 'kept_files', bytes: 'content' })).to.match(/needs `of`/)
  })
})
