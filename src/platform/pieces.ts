/** The same bytes in pieces of one size. The last one is what is left: of no bytes only where there are none at all. */
export async function* inPieces(source: AsyncIterable<Uint8Array>, size: number) {
  let waiting: Uint8Array[] = []
  let bytes = 0
  for await (const given of source) {
    let part = given
    while (bytes + part.length > size) {
      const cut = size - bytes
      yield { part: Buffer.concat([...waiting, part.subarray(0, cut)]), last: false }
      part = part.subarray(cut)
      waiting = []
      bytes = 0
    }
    waiting.push(part)
    bytes += part.length
  }
  yield { part: Buffer.concat(waiting), last: true }
}
