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
