import type { Client, Setting } from './clients.ts'
import { monthName, year } from './dates.ts'
import type { Line } from './papers.ts'
import type { Item } from './vocabulary/kind.ts'

const yenPerUnit = 160

export function someLines(setting: Setting, client: Client, groups: string[], count: number, day: string): Line[] {
  return groups.flatMap(group =>
    setting.faker.helpers
      .arrayElements(setting.workspace.vocabulary.groups[group]!, count)
      .map(item => ({ ...lineOf(setting, client, item, day), group: groups.length > 1 ? group : undefined })),
  )
}

export function worded(text: string, day: string): string {
  return text.replace('{month}', monthName(day)).replace('{year}', String(year(day)))
}

function lineOf({ faker, workspace }: Setting, client: Client, item: Item, day: string): Line {
  const [title, details, unit, price, rate = 0] = item
  const yen = client.currency === 'JPY'
  const reduced = !yen && faker.number.int({ max: 11 }) === 0
  return {
    title: worded(title, day),
    details,
    quantity: quantityOf(faker.number.float(), unit, Number(price), yen),
    unit: unit === 'fixed' ? undefined : unit,
    price: yen ? String(Math.ceil(Number(price) * yenPerUnit)) : price,
    discount: reduced ? faker.helpers.arrayElement(['5', '10', '12.5', '15']) : undefined,
    tax: client.abroad ? '0' : workspace.vocabulary.taxes[rate]!,
  }
}

function quantityOf(random: number, unit: string, price: number, whole: boolean): string {
  if (unit === 'fixed') return '1'
  if (unit === 'hours' || unit === 'days') {
    const most = unit === 'hours' ? 24 : 4
    return whole ? String(1 + Math.floor(random * most)) : String(0.5 + Math.floor(random * most * 4) / 4)
  }
  if (price < 1) return String(250 + 250 * Math.floor(random * 18))
  if (price < 20) return String(5 + Math.floor(random * 90))
  if (price < 200) return String(1 + Math.floor(random * 14))
  return String(1 + Math.floor(random * 3))
}
