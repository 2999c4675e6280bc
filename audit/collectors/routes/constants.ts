import { masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'

/** Names and values of constants: addresses are often put together from them. */
export type Constants = Map<string, string>

/** The constants of files of Java and Kotlin, by their last names. */
export function constantsOf(files: SourceFile[]): Constants {
  const found: Constants = new Map()
  for (const { text } of files)
    for (const it of text.matchAll(/\b(?:String|val)\s+([A-Z][A-Z_0-9]+)\s*(?::\s*String)?\s*=\s*([^;\n]+)/g))
      if (!found.has(it[1]!)) found.set(it[1]!, it[2]!)
  return found
}

/** `Paths.API + "/quotes"` as text. */
export function constantValue(source: string, constants: Constants, depth = 0): string {
  return parts(`(${source})`, masked(`(${source})`), 0, '+')
    .map(it => {
      const text = it.match(/^"([^"]*)"$/)?.[1]
      if (text !== undefined) return text
      const constant = constants.get(it.split('.').at(-1)!)
      return constant && depth < 6 ? constantValue(constant, constants, depth + 1) : ''
    })
    .join('')
}
