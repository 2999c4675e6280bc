import { z } from 'zod'

/** The most items of one list. */
export const mostItems = 400

const ExampleFile = z.object({ id: z.uuid(), name: z.string(), size: z.number() })

/** An item as a template has it, and as it is sent. */
export const ListedItem = z.object({
  id: z.uuid(),
  name: z.string(),
  hint: z.string(),
  wanted: z.number().int(),
  example: ExampleFile.optional(),
})
export type ListedItem = z.infer<typeof ListedItem>

type Line = Omit<ListedItem, 'id'>

/** Files that one item may ask for. */
const mostFiles = 100

/**
 * Reads items that were typed one in each line: the name, what to send, and how many files, with | or a tab between them.
 * Gives what is wrong as sentences, each with its line.
 */
export function itemsIn(text: string): { items: Line[]; wrong: { sentence: string; line: number }[] } {
  const wrong: { sentence: string; line: number }[] = []
  const items: Line[] = []
  const names = new Set<string>()
  for (const [at, typed] of text.split(/\r?\n/).entries()) {
    if (!typed.trim()) continue
    const [name = '', hint = '', files = ''] = typed.split(/\||\t/).map(it => it.trim())
    const refuse = (sentence: string) => wrong.push({ sentence, line: at + 1 })
    const wanted = files === '' ? 1 : Number(files)
    if (!name) refuse('Line {line} has no name.')
    else if (name.length > 200) refuse('The name in line {line} is longer than 200 characters.')
    else if (names.has(name.toLowerCase())) refuse('The name in line {line} is there twice.')
    if (hint.length > 500) refuse('The explanation in line {line} is longer than 500 characters.')
    if (!Number.isInteger(wanted) || wanted < 1 || wanted > mostFiles)
      refuse('The number of files in line {line} is not between 1 and 100.')
    names.add(name.toLowerCase())
    items.push({ name, hint, wanted })
  }
  return { items, wrong: wrong.slice(0, 5) }
}

/** The same as text, for the form. */
export const textOf = (items: Line[]): string =>
  items
    .map(({ name, hint, wanted }) => [name, hint, wanted > 1 ? String(wanted) : ''].join(' | ').replace(/( \| )+$/, ''))
    .join('\n')
