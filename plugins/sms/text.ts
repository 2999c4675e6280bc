/** A short text in letters that every phone gets in few messages. */
export const inLatin = (text: string) => inGsm(withoutAccents(plain(text)))

/** Messages that one text may take: each is paid for. */
const most = 2

/** Characters of the sentence without which an address says too little. */
const least = 20

/** Characters of the name. */
const mostOfName = 40

/** A notification as a text. */
interface Said {
  /** Who writes: the sender is often only a number. */
  from: string
  text: string
  url: string
}

/**
 * Who writes, the sentence and its address, in two messages at most. Quotes and dashes are plain. One letter that GSM-7
 * lacks halves the room of all, so where a text would not fit with them, accents are left out, then emoji and what is
 * in another script. What does not fit even so is cut at a word; where an address leaves no room, it is left out.
 */
export function textOf({ from, text, url }: Said): string {
  const name = Array.from(from).slice(0, mostOfName).join('').trim()
  const said = plain(`${name}: ${text}`)
  const bare = withoutAccents(said)
  const latin = inGsm(bare)
  const fitting = [said, bare, latin].map(it => `${it} ${url}`).find(fits)
  if (fitting) return fitting
  const beside = cut(latin, ` ${url}`)
  return beside.length > least ? `${beside} ${url}` : cut(latin, '')
}

/** How many messages a text takes: joined ones have seven bytes less each (3GPP TS 23.040, section 9.2.3.24.1). */
export function messagesIn(text: string): number {
  const isGsm = Array.from(text).every(it => sizeInGsm(it))
  const [alone, joined] = isGsm ? [160, 153] : [70, 67]
  const sizes = Array.from(text, it => (isGsm ? sizeInGsm(it) : it.length))
  return packed(sizes, alone) === 1 ? 1 : packed(sizes, joined)
}

const fits = (text: string) => messagesIn(text) <= most

/** A character is never halved by the end of a message. */
function packed(sizes: number[], room: number): number {
  let [messages, used] = [1, 0]
  for (const size of sizes) {
    used += size
    if (used <= room) continue
    messages++
    used = size
  }
  return messages
}

/** GSM-7 (3GPP TS 23.038, section 6.2.1), and what is there behind an escape. */
const letters = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const escaped = new Set('^{}\\[~]|€')

/** Places that a character takes; none where GSM-7 lacks it. */
function sizeInGsm(character: string): number {
  if (letters.has(character)) return 1
  return escaped.has(character) ? 2 : 0
}

/** Signs that GSM-7 lacks, and those that say the same. */
const signs: Record<string, string> = {
  ...{ '“': '"', '”': '"', '„': '"', '«': '"', '»': '"', '‘': "'", '’': "'", '…': '...' },
  ...{ '–': '-', '—': '-', '−': '-', '·': '-', '×': 'x', '\u00a0': ' ', '\u202f': ' ' },
}
const plain = (text: string) => Array.from(text, it => signs[it] ?? it).join('')

/** Letters that GSM-7 has keep their accents. */
const withoutAccents = (text: string) =>
  Array.from(text.normalize('NFC'), it => (sizeInGsm(it) ? it : it.normalize('NFD').replace(/\p{Mn}/gu, ''))).join('')

/** What another script says is three dots. */
const inGsm = (text: string) =>
  Array.from(text.replace(emoji, ''), it => (sizeInGsm(it) ? it : '\0'))
    .join('')
    .replace(/\0(?:[\0 ]*\0)?/g, '...')
    .replace(/ {2,}/g, ' ')
    .trim()

const emoji = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f]/gu

const characters = new Intl.Segmenter()

/** As much of a text as fits before what follows, up to a word. */
function cut(text: string, after: string): string {
  const all = Array.from(characters.segment(text), it => it.segment).slice(0, most * 153)
  while (all.length && !fits(`${all.join('')}...${after}`)) all.pop()
  const kept = all.join('')
  return kept === text ? text : `${kept.replace(/\s+\S{0,20}$/, '')}...`
}
