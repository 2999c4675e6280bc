import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { leave, open } from '../visit.ts'

/** Somebody else's program looks at what was sealed: poppler's, with the cryptography of Mozilla. */
describe('the sealed paper of an acceptance, by pdfsig', () => {
  afterEach(leave)

  it('is validly signed in total; a changed byte is a digest mismatch, an appended one is not covered', async () => {
    const { visit, mailTo } = await open({ mail: 'kept' })
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
    const pdf = Buffer.from((await mailTo('nadia@acmebakery.example')).attachments![0]!.content, 'base64')

    const good = told(pdf)
    for (const words of ['Signature is Valid', 'Total document signed', 'ETSI.CAdES.detached', 'SHA-256'])
      expect(good).to.include(words)
    const changed = Buffer.from(pdf)
    changed.writeUInt8(changed.readUInt8(3_000) ^ 1, 3_000)
    expect(told(changed)).to.include('Digest Mismatch')
    expect(told(Buffer.concat([pdf, Buffer.from('\n%more\n')]))).to.include('Not total document signed')
  })
})

function told(pdf: Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), 'portico-')), 'signed.pdf')
  writeFileSync(file, pdf)
  return execFileSync('pdfsig', [file], { encoding: 'utf8' })
}
