import { fileTypeFromBuffer } from 'file-type'
import { extensionOf } from './names.ts'

/** How many bytes of a file tell what it is: office files name their parts at the start. */
export const headSize = 65_536

/** Why a file is not accepted, as a sentence for the person who sent it. */
export class RefusedFile extends Error {}

/**
 * Tells the media type of a file by its content, never by what the browser says (OWASP ASVS 5.0, 5.2.2). Throws
 * RefusedFile for a program, and for one whose name promises a format that its content does not have.
 */
export async function typeOf(head: Uint8Array, name: string): Promise<string> {
  const extension = extensionOf(name)
  if (programs.has(extension))
    throw new RefusedFile('Programs can’t be sent here. Put it in a zip file, or send a link.')
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  if (found && programs.has(found.ext))
    throw new RefusedFile('Programs can’t be sent here. Put it in a zip file, or send a link.')
  if (found) return found.mime
  if (recognised.has(extensionOf(name)))
    throw new RefusedFile('The content doesn’t match the name. The file may be damaged.')
  return isText(head) ? 'text/plain' : 'application/octet-stream'
}

/** Throws RefusedFile for the name of a program. */
export function refuseByName(name: string): void {
  if (programs.has(extensionOf(name))) throw new RefusedFile(noPrograms)
}

const noPrograms = 'Programs can’t be sent here. Put it in a zip file, or send a link.'

export type FileKind = 'pictures' | 'pdf' | 'office' | 'media' | 'archives' | 'other'

/** Of the first that fits. Text, such as CSV, cannot be told from any other by its content. */
const kindsByType: { kind: FileKind; of: RegExp }[] = [
  { kind: 'pictures', of: /^image\// },
  { kind: 'pdf', of: /^application\/pdf$/ },
  { kind: 'media', of: /^(video|audio)\/|^application\/ogg$/ },
  { kind: 'office', of: /officedocument|opendocument|msword|ms-(excel|powerpoint|word)|^application\/(x-cfb|rtf)$/ },
  {
    kind: 'archives',
    of: /^application\/(x-|vnd\.)?(zip|gzip|7z-compressed|rar|tar|bzip2?|xz|lzip|zstd|compress|lz4)/,
  },
  { kind: 'other', of: /^/ },
]

/** Throws RefusedFile for a file of a media type that is of none of these kinds. */
export function refuseKind(type: string, kinds: readonly FileKind[]): void {
  const { kind } = kindsByType.find(it => it.of.test(type))!
  if (!kinds.includes(kind)) throw new RefusedFile('Files of this kind are not accepted here.')
}

/** What a browser offers to choose (`accept` of HTML); undefined where every file may be chosen. */
export const acceptOf = (kinds: readonly FileKind[]): string | undefined =>
  kinds.includes('other') ? undefined : kinds.map(it => accepted[it]).join(',')

const accepted: Record<FileKind, string> = {
  pictures: 'image/*',
  pdf: '.pdf',
  office: '.doc,.docx,.dotx,.xls,.xlsx,.xlsm,.ppt,.pptx,.odt,.ods,.odp,.rtf',
  media: 'video/*,audio/*',
  archives: '.zip,.7z,.rar,.gz,.tgz,.tar,.bz2,.xz,.zst',
  other: '',
}

/** What starts a program when it is opened, by extension or by content. */
const programs = new Set(
  `apk app bat class cmd com cpl crx deb dll dmg elf exe gadget hta jar js jse lnk macho msc msi msp pif pkg ps1 psm1
   reg rpm scf scr sh swf sys vb vbe vbs wasm wsf wsh xpi`.split(/\s+/),
)

/** Formats whose content always shows what they are. */
const recognised = new Set(
  `7z avif bmp docx gif gz heic jpeg jpg mkv mov mp3 mp4 odp ods odt ogg pdf png pptx rar tif tiff wav webm webp xlsx
   zip`.split(/\s+/),
)

/** Text has no zero bytes and no more than a few control characters. */
function isText(head: Uint8Array): boolean {
  const control = head.filter(it => it < 9 || (it > 13 && it < 32)).length
  return !head.includes(0) && control <= head.length / 100
}

/** Icons of media types; the first that fits counts. */
const icons = [
  { of: /^image\//, icon: 'photo' },
  { of: /^video\//, icon: 'movie' },
  { of: /^audio\//, icon: 'music' },
  { of: /^application\/pdf$/, icon: 'file-type-pdf' },
  { of: /spreadsheet|excel/, icon: 'file-type-xls' },
  { of: /wordprocessing|msword|opendocument\.text|rtf/, icon: 'file-type-doc' },
  { of: /presentation|powerpoint/, icon: 'file-type-ppt' },
  { of: /zip|compressed|gzip|tar|rar/, icon: 'file-zip' },
  { of: /^/, icon: 'file-text' },
]

/** Returns the name of the icon for a media type. */
export const iconOf = (type: string): string => icons.find(it => it.of.test(type))!.icon
