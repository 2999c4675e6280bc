/** A declared key. The columns that say most come first. */
export interface Key {
  from: string
  columns: string[]
  to: string
}

/**
 * Each declared key by the one column that says where it leads: of `(tenant, client_id)` that is `client_id`, since
 * `tenant` is in other keys of the table too. Keys of one column come first.
 */
export function leadingColumns(found: Key[]): { from: string; column: string; to: string }[] {
  const uses = (from: string, column: string) =>
    found.filter(it => it.from === from && it.columns.includes(column)).length
  return found.map(({ from, columns, to }) => {
    const [column] = columns.toSorted((a, b) => uses(from, a) - uses(from, b))
    return { from, column: column!, to }
  })
}
