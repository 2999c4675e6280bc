import type { Logo } from '../platform/logo.ts'
import { fontNames, fontsFor } from './fonts.ts'
import { compile, type Turn } from './pool.ts'

/** What is printed: ready-made texts, in the same shape for every kind of document. */
export interface PrintedDocument {
  /** BCP 47: "en-GB". */
  language: string
  direction: 'ltr' | 'rtl'
  title: string
  /** As at the foot of each page. */
  number: string
  /** A plain date: the file says that it was made then, so that the same document is the same bytes. */
  date: string
  sender: string
  letterhead: string[]
  /** `#rrggbb`. */
  colour?: string
  addressee: { label: string; lines: string[] }
  /** What must not be overlooked: that it is cancelled. */
  stamp?: { words: string; tone: 'bad' | '' }
  facts: [label: string, value: string][]
  intro: string[]
  /** Description, quantity, amount. */
  columns: [string, string, string]
  groups: { heading: string | null; lines: PrintedLine[] }[]
  totals: [label: string, value: string, strong: boolean][]
  /** What to do next: how to pay it. */
  todo?: {
    heading: string
    intro: string
    facts: [label: string, value: string][]
    /** To be scanned: how many squares it is wide, the dark ones as an SVG's path, and what it says. */
    code?: { size: number; path: string; alt: string }
  }
  terms: string[]
  /** The certificate page at the end: who signed, when and how. */
  certificate?: {
    heading: string
    intro: string
    facts: [label: string, value: string][]
    /** In a field of 1,000 by 300: the drawing as an SVG's path; or typed. */
    signature?: { label: string; path: string } | { label: string; text: string }
    /** Long values, such as fingerprints. */
    codes: [label: string, value: string][]
    after: string
  }
  /** Prints the certificate only, to be appended to the CRM's own PDF. */
  alone?: boolean
  footer: string
}

interface PrintedLine {
  title: string
  details: string[]
  quantity: string
  amount: string
  optional: boolean
  /** An optional line that is not chosen is struck out. */
  chosen: boolean
}

/**
 * Prints A4, PDF/UA-1. The same document gives the same bytes. If no font has a character, the PDF is tagged but does
 * not claim PDF/UA; a logo that cannot be printed is left out. Throws Busy if too many documents wait, OneByOne if too
 * many of one person wait, and Slow if it takes too long.
 */
export async function pdfOf(
  document: PrintedDocument,
  logo?: Pick<Logo, 'type' | 'bytes'>,
  turn: Turn = { by: '' },
): Promise<Buffer> {
  const texts = cleaned(document)
  const [, language = 'en', region] = /^([a-z]{2,3})(?:-([A-Z]{2}))?$/.exec(document.language) ?? []
  const fonts = fontsFor(JSON.stringify(texts), document.language)
  const job = {
    files: fonts.files,
    logo: logo?.type === 'image/svg+xml' ? { ...logo, bytes: inOurFonts(logo.bytes) } : logo,
    document: {
      ...texts,
      language,
      region: region ?? null,
      date: document.date.split('-').map(Number),
      colour: /^#[0-9a-f]{6}$/i.test(document.colour ?? '') ? document.colour : '#0c5a63',
      stamp: texts.stamp ?? null,
      todo: texts.todo ? { ...texts.todo, code: texts.todo.code ?? null } : null,
      alone: document.alone ?? false,
      certificate: texts.certificate ? { signature: null, ...texts.certificate } : null,
      fonts: fonts.families,
    },
  }
  return compile(job, turn)
}

/** A logo's words keep their kind of letters: with or without serifs. */
const inOurFonts = (svg: Buffer) =>
  Buffer.from(
    svg.toString().replace(/font-family(="|\s*:\s*)([^";}<]*)/g, (_, is, families) => {
      const hasSerifs = /(^|[^-])\bserif|Georgia|Times|Garamond|Palatino|Cambria|Baskerville|Didot|Bodoni/i.test(
        families,
      )
      return `font-family${is}'${hasSerifs ? fontNames.serif : fontNames.sans}'`
    }),
  )

/** Line breaks stay; other control characters and what turns the direction of the text around it go. */
const clean = (text: string) =>
  text
    .toWellFormed()
    .replaceAll('\ufffd', '?')
    .normalize('NFC')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069\ufeff]|[\p{Co}\p{Noncharacter_Code_Point}]/gu, '')

function cleaned<T>(value: T): T {
  if (typeof value === 'string') return clean(value) as T
  if (Array.isArray(value)) return value.map(cleaned) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, cleaned(it)])) as T
}
