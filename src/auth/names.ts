import { z } from 'zod'

const refused = 'Enter only a name, without a web or e-mail address.'

/** The dots that browsers accept in a host name (UTS 46), after compatibility normalization. */
const dot = '[.\u3002]'
const addresses = [
  /:\/\/|@/,
  /\bwww\b/i,
  // Requires two letters before the dot, so that initials such as "M.Carmen" pass.
  new RegExp(`[\\p{L}\\p{N}-]{2,}${dot}\\p{L}{2,}`, 'u'),
  // Short host names: x.com, t.co/path.
  new RegExp(`[\\p{L}\\p{N}]${dot}(com|co|org|net|io|me|app|dev|ly)\\b`, 'iu'),
  new RegExp(`\\d{1,3}(${dot}\\d{1,3}){3}`),
]
/** Invisible and direction-changing characters. The two joiners belong to scripts of Iran and India and are allowed. */
const invisibleCharacters = /\p{Cc}|\p{Zl}|\p{Zp}|(?![\u200C\u200D])\p{Cf}/u

/** Returns why a name is refused, since it appears in mails to others; undefined for a valid name. */
export function nameProblem(name: string): string | undefined {
  const plain = name.normalize('NFKC')
  return invisibleCharacters.test(name) || addresses.some(it => it.test(plain)) ? refused : undefined
}

/** The schema of a person's name in a form. `missing` is the message for an empty one. */
export const personName = (missing: string) =>
  z
    .string(missing)
    .trim()
    .min(1, missing)
    .max(200, 'Use at most 200 characters.')
    .refine(it => nameProblem(it) === undefined, refused)
