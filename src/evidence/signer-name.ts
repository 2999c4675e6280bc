/**
 * Whether what somebody typed is their name: case, accents, spaces, hyphens and dots do not matter, given names may be
 * initials, middle names may be missing, and the family name may come first. "N. El-Khoury" fits "Nadia El-Khoury".
 */
export function fitsName(typed: string, name: string): boolean {
  const [said, known] = [wordsIn(inOrder(typed)), wordsIn(name)]
  if (!known.length || !said.length) return typed.trim() === name.trim()
  if (said.join('') === known.join('')) return true
  if (said.toSorted().join(' ') === known.toSorted().join(' ')) return true
  const [last, family] = [said.at(-1), known.at(-1)]
  if (said.length < 2 || last !== family) return false
  return follows(said.slice(0, -1), known.slice(0, -1))
}

/** "El-Khoury, Nadia" the other way round. */
const inOrder = (typed: string) => typed.split(',').toReversed().join(' ')

/** Letters and digits, without what is set above or below them. */
const wordsIn = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[øłđßæœ]/g, it => plain[it] ?? it)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)

const plain: Record<string, string> = { ø: 'o', ł: 'l', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe' }

/** Whether these words, or their initials, are among the known ones in the same order, beginning with the first. */
function follows(said: string[], known: string[]): boolean {
  let at = 0
  for (const [index, word] of said.entries()) {
    const found = known.findIndex(
      (it, where) => where >= at && (it === word || (isInitial(word) && it.startsWith(word))),
    )
    if (found < 0 || (index === 0 && found !== 0)) return false
    at = found + 1
  }
  return true
}

const isInitial = (word: string) => [...word].length === 1
