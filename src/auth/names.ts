import { z } from 'zod'

const refused = 'Write only a name, without a web or e-mail address.'

/** Dots as browsers take them in the name of a host (UTS 46), after compatible signs are made one. */
const dot = '[.\u3002]'
const addresses = [
  /:\/\/|@/,
  /\bwww\b/i,
  // Two letters before the dot, so that initials may stand close: M.Carmen.
  new RegExp(`[\\p{L}\\p{N}-]{2,}${dot}\\p{L}{2,}`, 'u'),
  // A short host: x.com, t.co/path.
  new RegExp(`[\\p{L}\\p{N}]${dot}(com|co|org|net|io|me|app|dev|ly)\\b`, 'iu'),
  new RegExp(`\\d{1,3}(${dot}\\d{1,3}){3}`),
]
/** Signs that are not seen or turn a line round; the two joiners belong to the scripts of Iran and India. */
const unseen = /\p{Cc}|\p{Zl}|\p{Zp}|(?![\u200C\u200D])\p{Cf}/u

/** Why this is not taken for a person's name, which others read in mails; undefined for one that is. */
export function nameProblem(name: string): string | undefined {
  const plain = name.normalize('NFKC')
  return unseen.test(name) || addresses.some(it => it.test(plain)) ? refused : undefined
}

/** A person's name as a form brings it. `missing` is what to say where there is none. */
export const personName = (missing: string) =>
  z
    .string(missing)
    .trim()
    .min(1, missing)
    .max(200, 'Use at most 200 characters.')
    .refine(it => nameProblem(it) === undefined, refused)
