import { writeFileSync } from 'node:fs'

type Value = string | number | Value[] | { [key: string]: Value }

const control = (type: number, size: number): Buffer => {
  const long = size >= 29
  const length = long ? 29 : size
  const head = type > 7 ? [length, type - 7] : [(type << 5) | length]
  return Buffer.from(long ? [...head, size - 29] : head)
}

/** As the data section of a MaxMind DB has it: texts, whole numbers, lists and maps. */
function encoded(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return Buffer.concat([control(6, 4), bytes])
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encoded)])
  const entries = Object.entries(value)
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([name, it]) => [encoded(name), encoded(it)])])
}

const bitsOf = (network: string) => {
  const [address = '', length = '32'] = network.split('/')
  const bits = address.split('.').map(it => Number(it).toString(2).padStart(8, '0'))
  return bits.join('').slice(0, Number(length))
}

/** Writes a GeoIP database (MaxMind DB format 2.0, IPv4) of these networks, which do not overlap. */
export function writeGeoip(file: string, networks: Record<string, Value>) {
  const nodes: (number | undefined)[][] = [[undefined, undefined]]
  const data: Buffer[] = []
  const places: [node: number, side: number, at: number][] = []
  let size = 0
  for (const [network, value] of Object.entries(networks)) {
    const bits = bitsOf(network)
    let node = 0
    for (const bit of bits.slice(0, -1)) {
      const next = nodes[node]![Number(bit)] ?? nodes.push([undefined, undefined]) - 1
      nodes[node]![Number(bit)] = next
      node = next
    }
    places.push([node, Number(bits.at(-1)), size])
    data.push(encoded(value))
    size += data.at(-1)!.length
  }
  for (const [node, side, at] of places) nodes[node]![side] = nodes.length + 16 + at
  const tree = Buffer.alloc(nodes.length * 6)
  for (const [at, sides] of nodes.entries())
    for (const side of [0, 1]) tree.writeUIntBE(sides[side] ?? nodes.length, at * 6 + side * 3, 3)
  const metadata = encoded({
    ...{ node_count: nodes.length, record_size: 24, ip_version: 4, database_type: 'Test-City', languages: ['en'] },
    ...{ binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 1_790_000_000 },
    description: { en: 'for tests' },
  })
  const marker = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex')
  writeFileSync(file, Buffer.concat([tree, Buffer.alloc(16), ...data, marker, metadata]))
}

/** Two cities, a country, and nothing else. */
export const world = {
  '81.2.69.0/24': { city: { names: { en: 'The Hague', es: 'La Haya' } }, country: { iso_code: 'NL' } },
  '127.0.0.0/8': { city: { names: { en: 'Home <b>' } }, country: { iso_code: 'ES' } },
  '89.160.20.0/24': { country: { iso_code: 'SE' } },
  '10.0.0.0/8': { country: { iso_code: 'xx"' } },
}
