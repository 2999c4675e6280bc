import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit } from '../../audit/index.ts'

const crms = join(import.meta.dirname, 'crms')

describe('audit of what it was not made for', () => {
  let tree: string
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'portico-tree-'))
  })
  afterEach(() => rmSync(tree, { recursive: true, force: true }))

  const write = (path: string, text: string | Buffer) => {
    mkdirSync(join(tree, path, '..'), { recursive: true })
    writeFileSync(join(tree, path), text)
  }

  it('says that a directory is empty, missing or a file', async () => {
    const empty = await audit({ source: tree })
    expect(empty.notes).to.deep.equal(['No source file that the audit can read is in the directory.'])
    expect(empty.report).to.include('Not decided: too little of the source could be read.')
    const missing = await audit({ source: join(tree, 'none') })
    expect(missing.notes).to.deep.equal([
      `The source could not be looked at: There is no directory ${join(tree, 'none')}.`,
    ])
    write('app.js', 'import express from "express"')
    const file = await audit({ source: join(tree, 'app.js') })
    expect(file.notes).to.deep.equal([
      `The source could not be looked at: ${join(tree, 'app.js')} is a file. Name the directory that holds the source.`,
    ])
    expect([empty.whole, missing.whole, file.whole]).to.deep.equal([true, false, false])
  })

  it('reads past binary files, loops of links and links that lead nowhere', async () => {
    cpSync(join(crms, 'express-knex'), tree, { recursive: true })
    const noise = Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * 7919) % 256))
    write('a.js', Buffer.concat([Buffer.from('import express from "express"\n'), noise]))
    for (const name of ['b.php', 'c.sql', 'd.py', 'e.rb', 'f.prisma', 'package2/package.json']) write(name, noise)
    mkdirSync(join(tree, 'deep'))
    symlinkSync(tree, join(tree, 'deep', 'loop'))
    symlinkSync(join(tree, 'gone.js'), join(tree, 'broken.js'))
    const { json, notes } = await audit({ source: tree })
    const clean = await audit({ source: join(crms, 'express-knex') })
    const statuses = (it: typeof json) => Object.values(it.answers).map(({ status }) => status)
    expect(statuses(json)).to.deep.equal(statuses(clean.json))
    expect(notes).to.deep.equal(['1 JavaScript or TypeScript files are not valid and were left out.'])
  })

  it('names a directory that it may not open, and reads the rest', async () => {
    cpSync(join(crms, 'express-knex'), tree, { recursive: true })
    mkdirSync(join(tree, 'secret'))
    await files.chmod(tree, 0o755)
    await files.chmod(join(tree, 'secret'), 0o000)
    const asRoot = process.getuid?.() === 0
    await audit({ source: tree })
    if (asRoot) process.seteuid!(65534)
    try {
      const { notes, json } = await audit({ source: tree })
      expect(notes).to.deep.equal(['The directory secret cannot be read.'])
      expect(json.answers.A1.status).to.equal('implemented')
    } finally {
      if (asRoot) process.seteuid!(0)
    }
  })

  it('names a file that goes away while it reads', async () => {
    for (let n = 0; n < 100; n++) write(`src/f${String(n).padStart(3, '0')}.js`, 'export const a = 1')
    let removed = false
    const { notes } = await audit({
      source: tree,
      progress(text) {
        if (removed || !text.includes('files read')) return
        removed = true
        rmSync(join(tree, 'src', 'f099.js'))
      },
    })
    expect(notes).to.include('src/f099.js cannot be read (ENOENT).')
  })

  it('never opens node_modules or what .gitignore names, however large they are', async () => {
    cpSync(join(crms, 'express-knex'), tree, { recursive: true })
    write('.gitignore', 'uploads/\n')
    for (let n = 0; n < 300; n++) write(`node_modules/p${n}/lib/index.js`, 'module.exports = 1')
    for (let n = 0; n < 300; n++) write(`uploads/p${n}/a.php`, '<?php echo 1;')
    const opened = await openedWhile(() => audit({ source: tree }))
    expect(opened.some(it => it.endsWith('package.json'))).to.equal(true)
    expect(opened.filter(it => /node_modules|uploads/.test(it))).to.deep.equal([])
    expect(opened.length).to.be.lessThan(60)
  })

  it('leaves out generated code', async () => {
    cpSync(join(crms, 'express-knex'), tree, { recursive: true })
    const { tables } = await audit({ source: tree })
    write(
      'src/client.js',
      `// @generated\nknex.schema.createTable('ghosts', t => { t.increments('id'); t.string('name') })`,
    )
    write('src/api.generated.js', `knex.schema.createTable('ghosts', t => { t.increments('id'); t.string('name') })`)
    expect((await audit({ source: tree })).tables).to.have.length(tables.length)
  })

  it('names several CRMs in one tree, and asks to run it for each', async () => {
    for (const it of ['express-knex', 'laravel', 'rails']) cpSync(join(crms, it), join(tree, it), { recursive: true })
    const { notes, report } = await audit({ source: tree })
    expect(notes[0]).to.equal(
      'The source holds 3 programs with tables and routes of their own (express-knex, laravel, rails); their answers are mixed here. If these are several CRMs, run the audit for each with --source.',
    )
    expect(report.slice(0, report.indexOf('### What you have'))).to.include(notes[0])
    for (const it of ['express-knex', 'laravel', 'rails'])
      expect((await audit({ source: join(tree, it) })).notes.join()).not.to.include('programs with tables')
  })

  it('says in one line what it could not read, however many answers hang on it', async () => {
    write(
      'schema.sql',
      'create table clients (id int, name text); create table invoices (id int, client_id int, total int);',
    )
    for (let n = 0; n < 30; n++) write(`src/f${n}.go`, 'package main')
    const { report } = await audit({ source: tree })
    const page = report.slice(report.indexOf('### Look at this'), report.indexOf('### Effort'))
    expect(page).to.match(/\d\. \*\*What do clients have of these: client sign-in \(A1\), .*invoices \(B3\)/)
    expect(page).to.include('**Are amounts whole cents?**').and.include('`invoices.total`')
    expect(page.match(/No route of the server could be read/g)).to.have.length(1)
  })

  it('says that a database refuses a password, without the password', async () => {
    const server = createServer(socket => {
      socket.once('data', () => {
        const text = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed for user "ann"\0\0')
        const head = Buffer.alloc(5)
        head.write('E')
        head.writeInt32BE(text.length + 4, 1)
        socket.end(Buffer.concat([head, text]))
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { notes } = await audit({ database: `postgresql://ann:hunter2@127.0.0.1:${port}/crm` })
    server.close()
    expect(notes).to.deep.equal(['The database could not be looked at: it refuses this user or password.'])
  })
})

/** The paths that are opened or listed while something runs. */
async function openedWhile(work: () => Promise<unknown>): Promise<string[]> {
  const opened: string[] = []
  const own = { open: files.open, readdir: files.readdir, readFile: files.readFile }
  const noting =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args) => {
      if (typeof args[0] === 'string') opened.push(args[0])
      return call(...args)
    }
  Object.assign(files, {
    open: noting(own.open),
    readdir: noting(own.readdir as never),
    readFile: noting(own.readFile),
  })
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    Object.assign(files, own)
    syncBuiltinESMExports()
  }
  return opened
}
