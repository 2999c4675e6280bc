import { distance } from 'fastest-levenshtein'

/** Of the names that there are, the one that was probably meant; undefined where none is near. */
function nearest(name: string, names: Iterable<string>): string | undefined {
  const [best] = [...names]
    .map(it => ({ it, steps: steps(plain(name), plain(it)) }))
    .filter(({ it, steps }) => steps <= Math.max(1, Math.min(plain(name).length, plain(it).length) / 3))
    .sort((a, b) => a.steps - b.steps)
  return best?.it
}

/** `, did you mean …?`, or nothing. */
export const didYouMean = (name: string, names: Iterable<string>): string => {
  const it = nearest(name, names)
  return it ? `; did you mean ${it}?` : ''
}

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Letters to put in, take out or change; two that changed places count as one. */
function steps(a: string, b: string): number {
  const count = distance(a, b)
  return count === 2 && sorted(a) === sorted(b) ? 1 : count
}

const sorted = (name: string) => [...name].sort().join('')
