/** Of the names that there are, the one that was probably meant; undefined where none is near. */
function near(name: string, names: Iterable<string>): string | undefined {
  const [best] = [...names]
    .map(it => ({ it, steps: distance(plain(name), plain(it)) }))
    .filter(({ it, steps }) => steps <= Math.max(1, Math.min(plain(name).length, plain(it).length) / 3))
    .sort((a, b) => a.steps - b.steps)
  return best?.it
}

/** `, did you mean …?`, or nothing. */
export const didYouMean = (name: string, names: Iterable<string>): string => {
  const it = near(name, names)
  return it ? `; did you mean ${it}?` : ''
}

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Letters to put in, take out, change or swap with the next one. */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        row[j - 1]! + 1,
        last[j]! + 1,
        last[j - 1]! + (same ? 0 : 1),
        swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, row]
  }
  return last[b.length]!
}
