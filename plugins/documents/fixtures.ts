import { crc32, deflateSync } from 'node:zlib'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { typeOf } from '../../src/files/kinds.ts'
import { fileKey } from '../../src/files/receive.ts'
import { query } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'

/** Documents of the first client of two workspaces, for the demo. Made once. */
export async function fixtures(owner: Knex, files: FileStore): Promise<void> {
  const [one] = await query(owner, { text: 'select from portal.client_documents limit 1' })
  if (one) return
  for (const [workspace, client] of [
    ['1', '1'],
    ['2', '31'],
  ] as const) {
    const brand = await folder(owner, { workspace, client, name: 'Brand', roles: null })
    const contracts = await folder(owner, { workspace, client, name: 'Contracts', roles: ['admin'] })
    for (const it of samples({ brand, contracts })) await add(owner, files, { workspace, client, ...it })
  }
}

interface Sample {
  name: string
  content: Buffer
  folder: string | null
  by: string
  /** How long ago it was shared. */
  days: number
  fromClient?: boolean
  expires?: boolean
}

const samples = ({ brand, contracts }: { brand: string; contracts: string }): Sample[] => [
  {
    name: 'Hosting agreement 2026.pdf',
    content: pdfOf('hosting agreement 2026'),
    folder: contracts,
    by: 'Marta Lindqvist',
    days: 200,
    expires: true,
  },
  { name: 'brand-colours.png', content: pngOf(320, 200), folder: brand, by: 'Jonas Weber', days: 64 },
  { name: 'shop-front.png', content: pngOf(640, 420), folder: null, by: 'Nadia El-Khoury', days: 9, fromClient: true },
  {
    name: 'content-inventory.csv',
    content: Buffer.from('Page,Words,Owner\nHome,320,Marta\nAbout us,540,Jonas\n'),
    folder: null,
    by: 'Marta Lindqvist',
    days: 2,
  },
  { name: 'launch-plan.pdf', content: pdfOf('launch plan'), folder: null, by: 'Jonas Weber', days: 1 },
]

async function folder(owner: Knex, it: { workspace: string; client: string; name: string; roles: string[] | null }) {
  const id = uuid()
  await query(owner, {
    text: 'insert into portal.client_document_folders (workspace_id, id, client_id, name, roles) values ($1, $2, $3, $4, $5)',
    values: [it.workspace, id, it.client, it.name, it.roles],
  })
  return id
}

async function add(owner: Knex, files: FileStore, it: Sample & { workspace: string; client: string }) {
  const [file, document] = [uuid(), uuid()]
  const { size, sha256 } = await files.write(fileKey(it.workspace, file), chunks(it.content))
  const kind = it.fromClient ? 'client' : 'staff'
  const at = new Date(Date.now() - it.days * 86_400_000)
  const until = it.expires ? new Date(Date.now() + 25 * 86_400_000).toISOString().slice(0, 10) : null
  await query(owner, {
    text: `insert into portal.client_files (workspace_id, id, client_id, name, type, size, sha256, state, by_kind, by_id, by_name, at)
           values ($1, $2, $3, $4, $5, $6, $7, 'ready', $8, 'demo', $9, $10)`,
    values: [it.workspace, file, it.client, it.name, await typeOf(it.content, it.name), size, sha256, kind, it.by, at],
  })
  await query(owner, {
    text: `insert into portal.client_documents (workspace_id, id, client_id, folder_id, name, file_id, size, expires_on, by_kind,
             by_id, by_name, at, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'demo', $10, $11, $11)`,
    values: [it.workspace, document, it.client, it.folder, it.name, file, size, until, kind, it.by, at],
  })
  await query(owner, {
    text: `insert into portal.client_document_versions (workspace_id, document_id, version, client_id, file_id, by_kind, by_id, by_name, at)
           values ($1, $2, 1, $3, $4, $5, 'demo', $6, $7)`,
    values: [it.workspace, document, it.client, file, kind, it.by, at],
  })
}

async function* chunks(content: Buffer) {
  yield content
}

/** A PDF of one page with one word (ISO 32000-2, 7.5). */
function pdfOf(heading: string): Buffer {
  const text = `BT /F1 28 Tf 72 720 Td (${heading}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let body = '%PDF-1.7\n'
  const offsets = objects.map((it, at) => {
    const offset = body.length
    body += `${at + 1} 0 obj\n${it}\nendobj\n`
    return `${String(offset).padStart(10, '0')} 00000 n \n`
  })
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`
  return Buffer.from(body + table + trailer)
}

/** A picture of coloured stripes (PNG, ISO/IEC 15948). */
function pngOf(width: number, height: number): Buffer {
  const colours = [0x1f6a5d, 0xe8c46b, 0xc98a45, 0xefe3d0]
  const rows = Array.from({ length: height }, () => {
    const row = Buffer.alloc(1 + width * 3)
    for (let x = 0; x < width; x++) row.writeUIntBE(colours[Math.floor((x * colours.length) / width)]!, 1 + x * 3, 3)
    return row
  })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const parts = [
    ['IHDR', header],
    ['IDAT', deflateSync(Buffer.concat(rows))],
    ['IEND', Buffer.alloc(0)],
  ] as const
  return Buffer.concat([signature, ...parts.map(([type, data]) => chunkOf(type, data))])
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
