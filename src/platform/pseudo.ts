import { IntlMessageFormat } from 'intl-messageformat'

/**
 * CLDR pseudo-locales, for people who write views. A browser that asks for `en-XA` sees longer sentences with accents,
 * so that missing translations and tight spaces stand out; `ar-XB` is right to left.
 */
const pseudoLocales = ['en-XA', 'ar-XB'] as const
type Pseudo = (typeof pseudoLocales)[number]

export const isPseudo = (locale: string): locale is Pseudo => (pseudoLocales as readonly string[]).includes(locale)

/** The sentence with accented words; placeholders stay unchanged. */
export function pseudoSentence(sentence: string, locale: Pseudo): Ast {
  const change = locale === 'en-XA' ? accented : mirrored
  const walk = (parts: any[]): any[] =>
    parts.map(part => ({
      ...part,
      ...(part.type === literal && { value: change(part.value) }),
      ...(part.options && {
        options: Object.fromEntries(
          Object.entries(part.options).map(([key, it]: [string, any]) => [key, { ...it, value: walk(it.value) }]),
        ),
      }),
    }))
  return walk(new IntlMessageFormat(sentence, 'en', {}, { ignoreTag: true }).getAst())
}

type Ast = ReturnType<IntlMessageFormat['getAst']>
const literal = 0

const accents: Record<string, string> = Object.fromEntries(
  [...'aåáeéëiîíoôöuûüyýcçnñsšzžAÅEÉIÎOÔUÛYÝCÇNÑSŠ'.matchAll(/([a-zA-Z])([^a-zA-Z]+)/g)].map(it => [it[1], it[2]]),
)

/** A vowel stands for itself and its double: a third longer, as German and Finnish are. */
const accented = (words: string) => words.replace(/[a-zA-Z]/g, it => accents[it] ?? it)

/** Latin letters, made to run the other way. */
const mirrored = (words: string) => words.replace(/[a-zA-Z]+(?:[ ’'-]+[a-zA-Z]+)*/g, it => `\u202e${it}\u202c`)
