export type Numbers = {
  reserve(prefix: string, year: number, number: number): void
  take(prefix: string, year: number, number?: number): string
}

export function numberSeries(): Numbers {
  const last = new Map<string, number>()
  const reserved = new Set<string>()
  return {
    reserve: (prefix, year, number) => void reserved.add(label(prefix, year, number)),
    take(prefix, year, number) {
      const series = `${prefix}${year}`
      if (number !== undefined) {
        last.set(series, Math.max(last.get(series) ?? 0, number))
        return label(prefix, year, number)
      }
      let next = (last.get(series) ?? 0) + 1
      while (reserved.has(label(prefix, year, next))) next++
      last.set(series, next)
      return label(prefix, year, next)
    },
  }
}

function label(prefix: string, year: number, number: number): string {
  if (prefix === 'C') return `${year}-C${String(number).padStart(3, '0')}`
  if (prefix) return `${prefix}-${year}-${String(number).padStart(3, '0')}`
  return `${year}-${String(number).padStart(4, '0')}`
}
