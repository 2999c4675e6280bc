import { Readable } from 'node:stream'
import { NotFound } from '../../http/errors.ts'
import type { ByteRange } from '../../platform/files.ts'
import type { Customer } from '../crm.ts'
import type { Pdf } from '../document.ts'
import { fileUnder, openUnder } from '../files/folder.ts'
import { largest, pdfOnly, Refused } from '../files/limits.ts'
import { fileAt } from '../files/web.ts'
import type { DocumentRelation } from './document-relation.ts'
import type { AttachmentsMap, DocumentsMap, FileMap } from './map.ts'
import { checked, customerValues } from './owned.ts'
import { expectType, hintIndex, keyOfType, type Place, placeOf, type Reader, same, text } from './reader.ts'
import type { Ask } from './section.ts'
import { param } from './sql.ts'

/** Reads the CRM's own PDF of a document; undefined if the map names none. */
export function fileOf(
  reader: Reader,
  it: FileMap | undefined,
  document: DocumentRelation,
): ((ask: Ask, customer: Customer) => { pdf(id: string): Promise<Pdf | undefined> }) | undefined {
  if (!it) return undefined
  const relation = document.relation('read' in it ? {} : { file: columnOf(reader, it, document) })
  const which = `where d.id = ${checked('id', keyOfType(document.key).cast)}`
  const sql = `select d.id::text as id, d.number, ${'read' in it ? 'null' : 'd.file'} as file from ${relation} ${which}`

  return (ask, customer) => ({
    async pdf(id) {
      const [row] = await ask(sql, { ...customerValues(customer), id })
      const bytes = row && (await bytesOf(it, row, customer))
      return bytes && { name: row.number, bytes: Buffer.from(pdfOnly(bytes)) }
    },
  })
}

/** Attachments of a document over the relation `d`, and how the bytes of one are read. */
export function attachmentsOf(reader: Reader, it: AttachmentsMap, document: DocumentRelation) {
  const f = placeOf(reader, it, 'f')
  const d: Place = { ...document.place, alias: 'd', column: () => 'd.id' }
  hintIndex(f, it, it.of, [], `attachments of ${reader.section}`)
  if (it.size) expectType(f, it.size, ['integer'], 'a number of bytes')
  const size = it.size ? f.column(it.size) : 'null'
  const id = `${f.column(f.key)}::text`
  const whose = `${same(f, it.of, d, document.place.key)} and ${f.rows}`
  const list = `(select coalesce(jsonb_agg(jsonb_build_object('id', ${id}, 'name', coalesce(${text(f, it.name)}, ''),
      'type', ${text(f, it.type)}, 'size', ${size}) order by ${f.column(f.key)}), '[]') from ${f.from} where ${whose}) as attachments`
  const relation = document.relation({})
  const one = `select ${contentOf(f, it)} as file from ${f.from} join ${relation} on ${whose}
    where d.id = ${checked('id', keyOfType(document.key).cast)} and ${id} = ${param('attachment')}::text`

  return {
    list,
    reading: (ask: Ask, customer: Customer) => ({
      async attachment(id: string, attachment: string) {
        const [row] = await ask(one, { ...customerValues(customer), id, attachment })
        const bytes = row && (await bytesOf(it, row, customer))
        if (!bytes) throw new NotFound()
        return bytes
      },
    }),
  }
}

/** The path, address or bytes of one document, in SQL. */
function columnOf(reader: Reader, it: Exclude<FileMap, { read: unknown }>, { place }: DocumentRelation): string {
  if (!it.table && !it.query) return contentOf(place, it)
  const f = placeOf(reader, it, 'f')
  return `(select ${contentOf(f, it)} from ${f.from} where ${same(f, it.of ?? '', place, place.key)} and ${f.rows}
    order by ${f.column(f.key)} desc limit 1)`
}

/** Where a row has its file, in SQL: a path, an address, or the bytes; and its text, where that stands for a file. */
export const contentColumns = (place: Place, it: DocumentsMap): string =>
  `${contentOf(place, it)} as file, ${text(place, 'under' in it ? it.text : undefined)} as text`

/** A file of the CRM's, to be read. */
export interface OpenedFile {
  /** In bytes. */
  size: number
  /** When it was last changed, in milliseconds since 1970; 0 where nobody says. */
  changed: number
  /** Reads it, or a range of it. */
  open(range?: ByteRange): Promise<Readable>
}

/** Finds the file of a row; undefined where there is none. Those in a folder are streamed, others have 25 MB at most. */
export async function openContent(
  it: DocumentsMap,
  row: { file: any; text: string | null },
): Promise<OpenedFile | undefined> {
  if ('under' in it && row.file) return openUnder(it.under, row.file)
  const bytes = row.text === null ? await bytesOf(it, row) : Buffer.from(row.text)
  return (
    bytes && {
      size: bytes.length,
      changed: 0,
      open: async ({ start, end } = { start: 0, end: bytes.length - 1 }) =>
        Readable.from([bytes.subarray(start, end + 1)]),
    }
  )
}

function contentOf(place: Place, it: Exclude<FileMap, { read: unknown }> | AttachmentsMap | DocumentsMap): string {
  if (!('bytes' in it)) return text(place, 'path' in it ? it.path : it.at)
  expectType(place, it.bytes, ['bytes'], 'a file')
  const column = place.column(it.bytes)
  // Too large a file is refused by its size, without reading it.
  return `case when octet_length(${column}) > ${largest} then '\\x'::bytea else ${column} end`
}

async function bytesOf(
  it: FileMap | AttachmentsMap | DocumentsMap,
  row: any,
  customer?: Customer,
): Promise<Uint8Array | undefined> {
  if ('read' in it) return it.read({ id: row.id, client: customer!.client.id, workspace: customer!.workspace.id })
  if (row.file === null || row.file === '') return undefined
  if ('under' in it) return fileUnder(it.under, row.file)
  if ('at' in it) return fileAt(row.file, it)
  if (!row.file.length) throw new Refused(`a file in the database is empty or has more than ${largest} bytes`)
  return row.file
}
