import type { Speech } from '../platform/i18n.ts'
import type { Line } from './document.ts'

/**
 * What each line is called where somebody asks about one: its title, with quantity and amount where others have the same
 * title, and counted where those are the same too. In the order of the lines, each name once.
 */
export function lineNames(lines: Line[], { money, number, t }: Pick<Speech, 'money' | 'number' | 't'>): string[] {
  const plain = lines.map(it => it.title)
  const detailed = lines.map(
    it => `${it.title} (${[number(it.quantity), it.unit].filter(Boolean).join(' ')}, ${money(it.total)})`,
  )
  return lines.map((it, at) => {
    if (!isTwice(plain, it.title)) return it.title
    const name = detailed[at] as string
    if (!isTwice(detailed, name)) return name
    const place = detailed.slice(0, at + 1).filter(other => other === name).length
    return t('{line}, no. {place}', { line: name, place })
  })
}

const isTwice = (all: string[], one: string) => all.indexOf(one) !== all.lastIndexOf(one)
