/** Does the work for each, six at a time, and returns the results in order. */
export async function inTurns<One, Result>(all: One[], work: (one: One) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = new Array(all.length)
  let next = 0
  const worker = async () => {
    while (next < all.length) {
      const at = next++
      results[at] = await work(all[at]!)
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  return results
}
