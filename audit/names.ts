/** The words of a name, in lower case and singular: `crm_InvoiceItems` is `crm`, `invoice`, `item`. */
export function wordsIn(name: string): string[] {
  const found = known.get(name) ?? split(name)
  known.set(name, found)
  return found
}

/** Each table's name is compared with every other's: the few thousand names are split once. */
const known = new Map<string, string[]>()

const split = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .map(singular)

const singular = (word: string): string => {
  if (word.length < 4 || /(ss|us|is|devis)$/.test(word)) return word
  if (/ies$/.test(word)) return `${word.slice(0, -3)}y`
  if (/(sses|xes|ches|shes)$/.test(word)) return word.slice(0, -2)
  return /s$/.test(word) ? word.slice(0, -1) : word
}

/** An address or a name as words, for matching: `/quote-sign/:token` is `quote sign`. */
export const spoken = (text: string): string =>
  text
    .replace(/[:{<]\w+[}>]?/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[^A-Za-zÀ-ÿ]+/g, ' ')
    .trim()

/** A word without the endings of number and gender that European languages give it; short words stay as they are. */
export const root = (word: string): string => {
  const bare = word.replace(/(en|es|e|i|a|o|n|s)$/, '')
  return bare.length >= 5 ? bare : word
}
