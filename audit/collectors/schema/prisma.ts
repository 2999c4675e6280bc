import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import type { Change } from './changes.ts'

/** The models of a `schema.prisma`, under the names that the database has them by. */
export function prismaChanges({ path, text }: SourceFile): Change[] {
  const blocks = [...text.matchAll(/^(model|enum)\s+(\w+)\s*\{([\s\S]*?)^\}/gm)]
  const enums = new Map(
    blocks.filter(it => it[1] === 'enum').map(it => [it[2]!, it[3]!.match(/^\s*\w+/gm)?.map(v => v.trim()) ?? []]),
  )
  const models = blocks.filter(it => it[1] === 'model')
  const tables = new Map(models.map(it => [it[2]!, it[3]!.match(/@@map\("([^"]+)"\)/)?.[1] ?? it[2]!]))
  return models.map(({ index, 2: model, 3: body }) => {
    const first = lineAt(text, index)
    const lines = body!.split('\n').map((line, number) => ({ line, at: `${path}:${first + number}` }))
    const columns = lines.flatMap(({ line, at }) => {
      const field = line.match(/^\s*(\w+)\s+(\w+)(\[\])?\??(.*)$/)
      if (!field || tables.has(field[2]!) || (field[3] && !scalar.test(field[2]!))) return []
      const relation = lines
        .find(it => new RegExp(`fields:\\s*\\[\\s*${field[1]}\\b`).test(it.line))
        ?.line.match(/^\s*\w+\s+(\w+)/)?.[1]
      const values = enums.get(field[2]!)
      const name = field[4]!.match(/@map\("([^"]+)"\)/)?.[1] ?? field[1]!
      return [
        {
          name,
          type: field[2]!.toLowerCase(),
          at,
          ...(relation && { references: tables.get(relation) }),
          ...(values && { values }),
        },
      ]
    })
    return { kind: 'table', table: tables.get(model!)!, columns, at: `${path}:${first}`, model: model! }
  })
}

const scalar = /^(String|Int|BigInt|Float|Decimal|Boolean|DateTime|Json|Bytes)$/
