import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The words that stand in the lists of the audit's lexicon; patterns stay out, since they fit many words. */
const lexiconWords = wordsOfLexicon()

function wordsOfLexicon(): Set<string> {
  const source = readFileSync(join(import.meta.dirname, '..', 'audit', 'lexicon.ts'), 'utf8')
  const lists = [...source.matchAll(/'([^'\n]+)'/g)].map(it => it[1]!)
  return new Set(lists.flatMap(it => it.split(' ')).filter(it => /^[a-z_]+$/.test(it)))
}

/** The lexicon's words among names, in singular or plural, whole or as a part: `aos_quotes` has `aos_quote` and `quote`. */
export function wordsAmong(names: string[]): Set<string> {
  const parts = names.flatMap(partsOf).flatMap(it => [it, it.replace(/s$/, '')])
  return new Set(parts.filter(it => lexiconWords.has(it)))
}

function partsOf(name: string): string[] {
  const whole = name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  const words = whole.match(/[a-z]+(_[a-z]+)*/g) ?? []
  return words.flatMap(it => [it, ...it.split('_'), it.replace(/^[a-z]+_/, '')])
}
