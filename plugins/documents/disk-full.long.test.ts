import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { encryptedFiles, type FileStore, filesIn } from '../../src/index.ts'
import { secret } from '../../test/database.ts'
import { append, begin, send, tus } from '../../test/sending.ts'
import { leave, open } from '../../test/visit.ts'

const sentence = 'There is no space left to store files.'

/** A disk of four megabytes; undefined where none can be made. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'portico-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmdirSync(folder)
    return undefined
  }
}

const filesOn = (disk: string) =>
  readdirSync(disk, { recursive: true, withFileTypes: true })
    .filter(it => it.isFile())
    .map(it => join(it.parentPath, it.name).slice(disk.length + 1))

describe('a disk that is full', function () {
  this.timeout(60_000)
  let disk: string | undefined

  beforeEach(function () {
    disk = smallDisk()
    if (disk) return
    console.log('      No file system can be mounted here: be root on Linux to run this.')
    this.skip()
  })
  afterEach(async () => {
    await leave()
    if (!disk) return
    execFileSync('umount', [disk])
    rmdirSync(disk)
  })

  const stores: Record<string, (folder: string) => FileStore> = {
    'as they are': filesIn,
    encrypted: folder => encryptedFiles(filesIn(folder), [secret]),
  }
  for (const [how, storeIn] of Object.entries(stores))
    it(`in the middle of an upload is said, nothing half is left, and the portal goes on: files ${how}`, async () => {
      const it = await open({ files: storeIn(disk!) })
      const owner = await it.visit('owner')
      expect((await send(owner, 'kept.bin', randomBytes(1_000_000))).status).to.equal(303)
      const before = filesOn(disk!)

      const byForm = await send(owner, 'large.bin', randomBytes(6_000_000))
      expect(byForm.status).to.equal(507)
      expect(byForm).to.show(sentence)
      expect(filesOn(disk!)).to.deep.equal(before)

      const content = randomBytes(6_000_000)
      const at = (await begin(owner, 'large.bin', content.length)).headers.location!
      expect((await append(owner, at, 0, content.subarray(0, 2_000_000))).status).to.equal(204)
      const refused = await append(owner, at, 2_000_000, content.subarray(2_000_000))
      expect([refused.status, refused.text]).to.deep.equal([507, sentence])
      expect((await owner.agent.head(at).set(tus)).status).to.equal(404)
      expect(filesOn(disk!).filter(one => !one.includes('keys/'))).to.deep.equal(
        before.filter(one => !one.includes('keys/')),
      )
      expect(await it.owner('portal.client_files')).to.have.length(1)

      const [{ id }, ...others] = (await owner.api('/documents?status=sent')).body.items
      expect(others).to.deep.equal([])
      expect((await owner.get(`/documents/${id}/content`).buffer()).body).to.have.length(1_000_000)
      expect((await send(owner, 'small.bin', randomBytes(1_000_000))).status).to.equal(303)
      expect(it.log.some(one => one.level === 'error')).to.equal(true)
    })
})
