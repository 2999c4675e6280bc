import { IntlMessageFormat } from 'intl-messageformat'

/**
 * The pseudo-locales of CLDR, for who writes views: a browser that asks for `en-XA` sees each sentence longer and with
 * accents, so that what is not translated, or has no room to be, stands out; `ar-XB` writes from right to left.
 */
const pseudoLocales = ['en-XA', 'ar-XB'] as const
type Pseudo = (typeof pseudoLocales)[number]

export const isPseudo = (locale: string): locale is Pseudo => (pseudoLocales as readonly string[]).includes(locale)

/** A sentence whose own words are changed; what fills its gaps stays as it is. */
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
