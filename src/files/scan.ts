import { once } from 'node:events'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** What the scanner found. A file can be larger than clamd takes (its `StreamMaxLength`). */
export type ScanResult = { scan: 'clean' | 'too-large' } | { threat: string }

/** The longest that a scan may take, in milliseconds. */
const patience = 10 * 60_000

/**
 * Sends a file to clamd at `tcp://host:port` and returns what it found (clamd(8), INSTREAM). Throws when clamd cannot be
 * reached or fails: the file then stays unscanned, and another try may succeed.
 */
export async function scanForViruses(scanner: string, file: Readable): Promise<ScanResult> {
  const { hostname, port } = new URL(scanner)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  socket.setTimeout(patience, () => socket.destroy(new Error('clamd did not answer in time')))
  try {
    await once(socket, 'connect')
    const answer = text(socket)
    // clamd closes the connection early when a file is too large: what it answered counts then.
    const sending = pipeline(framed(file), socket, { end: false }).catch((error: Error) => error)
    const said = await answer.catch(() => '')
    const failure = await sending
    return resultOf(said, failure instanceof Error ? failure : undefined)
  } finally {
    file.destroy()
    socket.destroy()
  }
}

/** Each part of the file after its length in four bytes; a length of zero ends it. */
async function* framed(file: Readable) {
  yield Buffer.from('zINSTREAM\0')
  for await (const part of file) {
    yield lengthOf(part.length)
    yield part
  }
  yield lengthOf(0)
}

function lengthOf(size: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(size)
  return bytes
}

function resultOf(said: string, failure: Error | undefined): ScanResult {
  const answer = said.replaceAll('\0', '').trim()
  if (answer === 'stream: OK') return { scan: 'clean' }
  const [, threat] = /^stream: (.+) FOUND$/.exec(answer) ?? []
  if (threat) return { threat }
  if (/size limit exceeded/.test(answer)) return { scan: 'too-large' }
  throw failure ?? new Error(`clamd answered ${JSON.stringify(answer.slice(0, 200))}`)
}
