import { z } from 'zod'

/** The field that a signature is drawn in. */
const field = { width: 1000, height: 300 }

const point = z.tuple([z.int().min(0).max(field.width), z.int().min(0).max(field.height)])
const Strokes = z
  .array(z.array(point).min(1).max(2_000))
  .min(1)
  .max(200)
  .refine(its => its.reduce((sum, it) => sum + it.length, 0) <= 4_000)

export type Strokes = z.infer<typeof Strokes>

/** From a form's JSON; undefined for what is no drawing, is empty or nothing but a dot. */
export function strokesIn(json: string): Strokes | undefined {
  try {
    const strokes = Strokes.safeParse(JSON.parse(json)).data
    return strokes && strokes.flat().length > 3 ? strokes : undefined
  } catch {
    return undefined
  }
}

/** As the `d` of an SVG path, through the middles between points so that it runs smoothly. Made of numbers only. */
export const pathOf = (strokes: Strokes): string => strokes.map(smooth).join('')

function smooth([first, ...rest]: Strokes[number]): string {
  if (!first) return ''
  const [x, y] = first
  if (!rest.length) return `M${x} ${y}l1 0`
  const curves = rest.map(([toX, toY], at) => {
    const next = rest[at + 1]
    return next ? `Q${toX} ${toY} ${(toX + next[0]) / 2} ${(toY + next[1]) / 2}` : `L${toX} ${toY}`
  })
  return `M${x} ${y}${curves.join('')}`
}
