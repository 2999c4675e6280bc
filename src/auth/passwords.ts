import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** Argon2id with 19 MiB and two passes (OWASP Password Storage Cheat Sheet). */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const hashPassword = (password: string) => hash(password, cost)

/**
 * Verifies a password. Takes as long without a stored hash, so that timing does not reveal which addresses have an
 * account.
 */
export async function passwordMatches(stored: string | null | undefined, password: string): Promise<boolean> {
  const right = await verify(stored || (await decoyHash), password)
  return right && Boolean(stored)
}
const decoyHash = hashPassword(randomBytes(32).toString('hex'))

/**
 * At least 8 characters; strength is judged by the guesses it withstands, not by character classes (NIST SP 800-63B).
 */
const shortest = 8
/** Argon2 accepts any length; forms need a limit. */
const longest = 256

/**
 * Returns why a new password is refused, as a sentence; undefined for a good one. `own` are words that an attacker
 * would try first.
 */
export async function weakness(password: string, own: string[]): Promise<string | undefined> {
  if (password.length < shortest) return 'Use at least 8 characters.'
  if (password.length > longest) return 'Use at most 256 characters.'
  const words = own.flatMap(it => {
    const parts = it.toLowerCase().split(/[^\p{L}\p{N}]+/u)
    return [...parts.filter(part => part.length > 2), parts.join('')]
  })
  if (isMadeOf(words, password)) return ownWordsMessage
  const { score, sequence } = (await estimator()).check(password.slice(0, 100), words)
  if (score >= 3) return undefined
  const found = sequence.map(it => ('dictionaryName' in it ? String(it.dictionaryName) : it.pattern))
  if (found.includes('userInputs')) return ownWordsMessage
  if (found.some(it => it.startsWith('passwords')))
    return 'This is one of the first passwords attackers try. Choose another.'
  if (found.some(it => ['spatial', 'sequence', 'repeat', 'date'].includes(it))) {
    return 'This is easy to guess because it follows a pattern. Four unrelated words are better.'
  }
  return 'This is easy to guess. Four unrelated words are better.'
}

const ownWordsMessage = 'This contains your name, company or address. Choose something else.'
/** How many letters and digits must remain besides one's own words. */
const leastBeside = 5

/** Whether a password consists almost only of these words, in any order and case and with any separators. */
function isMadeOf(words: string[], password: string): boolean {
  const before = folded(password)
  const rest = words
    .filter(it => it.length > 2)
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, it) => text.replaceAll(folded(it), ' '), before)
  return rest !== before && rest.replaceAll(/[^\p{L}\p{N}]/gu, '').length < leastBeside
}

/** The text without case and accents. */
const folded = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()

/** The word lists need memory and time to load, so they are loaded on first use. */
let made: ReturnType<typeof make> | undefined
const estimator = () => {
  made ??= make()
  return made
}

async function make() {
  const [{ ZxcvbnFactory }, common, english, spanish] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
    import('@zxcvbn-ts/language-es-es'),
  ])
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary, ...spanish.dictionary },
    graphs: common.adjacencyGraphs,
  })
}
