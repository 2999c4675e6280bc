/** Remembers what it made, up to a bound: keys may come from a browser. */
export function once<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return key => {
    const known = made.get(key)
    if (known !== undefined) return known
    if (made.size >= 1_000) made.clear()
    const fresh = make(key)
    made.set(key, fresh)
    return fresh
  }
}
