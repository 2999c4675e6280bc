type Alternative = string | RegExp

/** A pattern of alternatives, from words separated by spaces and from other patterns: `a|b|c\w*`. */
export const either = (...alternatives: Alternative[]): RegExp => new RegExp(sourceOf(alternatives))

/** Fits a text in which one of them is a word, in any case. */
export const anyWord = (...alternatives: Alternative[]): RegExp => new RegExp(`\\b(${sourceOf(alternatives)})\\b`, 'i')

/** Fits a name that contains one of them, in any case. */
export const anyPart = (...alternatives: Alternative[]): RegExp => new RegExp(`(${sourceOf(alternatives)})`, 'i')

/** Fits a name that is one of them, in any case. */
export const anyName = (...alternatives: Alternative[]): RegExp => new RegExp(`^(${sourceOf(alternatives)})$`, 'i')

const sourceOf = (alternatives: Alternative[]) =>
  alternatives.map(it => (typeof it === 'string' ? it.split(' ').join('|') : it.source)).join('|')
