import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** Argon2id with 19 MiB and two passes (OWASP Password Storage Cheat Sheet). */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const hashed = (password: string) => hash(password, cost)

/** Takes as long without a stored hash as with one, so that nobody can tell which addresses have an account. */
export async function fits(stored: string | null | undefined, password: string): Promise<boolean> {
  const right = await verify(stored || (await decoy), password)
  return right && Boolean(stored)
}
const decoy = hashed(randomBytes(32).toString('hex'))

/** At least 8 characters, judged by how many guesses it withstands and not by which signs it holds (NIST SP 800-63B). */
const shortest = 8
/** Argon2 takes any length; a form does not have to. */
const longest = 256

/** Why a new password is refused, as a sentence; undefined for a good one. `own` are words an attacker would try first. */
export async function weakness(password: string, own: string[]): Promise<string | undefined> {
  if (password.length < shortest) return 'Use at least 8 characters.'
  if (password.length > longest) return 'Use at most 256 characters.'
  const words = own.flatMap(it => {
    const parts = it.toLowerCase().split(/[^\p{L}\p{N}]+/u)
    return [...parts.filter(part => part.length > 2), parts.join('')]
  })
  if (isMadeOf(words, password)) return madeOfOwn
  const { score, sequence } = (await estimator()).check(password.slice(0, 100), words)
  if (score >= 3) return undefined
  const found = sequence.map(it => ('dictionaryName' in it ? String(it.dictionaryName) : it.pattern))
  if (found.includes('userInputs')) return madeOfOwn
  if (found.some(it => it.startsWith('passwords')))
    return 'This is one of the passwords that attackers try first. Choose another.'
  if (found.some(it => ['spatial', 'sequence', 'repeat', 'date'].includes(it))) {
    return 'This is easy to guess: it follows a pattern. Four words that do not belong together are better.'
  }
  return 'This is easy to guess. Four words that do not belong together are better.'
}

const madeOfOwn = 'This has your own name, company or address in it. Choose something else.'
/** So many letters and digits have to be left beside one's own words. */
const leastBeside = 5

/** Whether there is next to nothing in it but these words, in whatever order, case and with whichever signs between. */
function isMadeOf(words: string[], password: string): boolean {
  const before = folded(password)
  const rest = words
    .filter(it => it.length > 2)
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, it) => text.replaceAll(folded(it), ' '), before)
  return rest !== before && rest.replaceAll(/[^\p{L}\p{N}]/gu, '').length < leastBeside
}

/** Without case and accents. */
const folded = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()

/** Its word lists take memory and a moment, so they are loaded when somebody first chooses a password. */
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
