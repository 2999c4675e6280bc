/** A part of a text: plain, bold, or a link. */
export interface Piece {
  text: string
  bold?: boolean
  url?: string
}

const bold = String.raw`\*\*([^*\n]{1,500})\*\*`
const named = String.raw`\[([^\][\n]{1,200})\]\((https?:\/\/[^\s()<>]{1,1000})\)`
const plain = String.raw`(https?:\/\/[^\s<>"']{1,1000})`
const marks = new RegExp(`${bold}|${named}|${plain}`, 'g')

/** `**bold**`, `[words](https://…)` and addresses. Everything else is text as it is: views escape it. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const found of text.matchAll(marks)) {
    const piece = pieceOf(found)
    if (!piece) continue
    if (found.index > at) pieces.push({ text: text.slice(at, found.index) })
    pieces.push(piece)
    at = found.index + (piece.length ?? found[0].length)
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces.map(({ length: _, ...it }: Piece & { length?: number }) => it)
}

/** `length` is how much of the text it takes, where that is not all of what was found. */
function pieceOf([, strong, words, target, address]: RegExpExecArray): (Piece & { length?: number }) | undefined {
  if (strong !== undefined) return { text: strong, bold: true }
  if (target !== undefined) return isAddress(target) ? { text: words!, url: target } : undefined
  // A full stop or a bracket after an address belongs to the sentence.
  const url = address!.replace(/[.,;:!?)\]]+$/, '')
  return isAddress(url) ? { text: url, url, length: url.length } : undefined
}

/** User name and password have no place in one. */
const isAddress = (it: string) => {
  const url = URL.parse(it)
  return url !== null && url.host !== '' && !url.username && !url.password
}

/** Without marks, at most so long, for where there is room for a line or two. */
export function summaryOf(text: string, length = 240): string {
  const words = piecesOf(text)
    .map(it => it.text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
  const all = [...words]
  return all.length > length ? `${all.slice(0, length - 1).join('')}…` : words
}
