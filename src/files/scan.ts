import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

/** What the scanner found. A file can be larger than clamd takes (its `StreamMaxLength` and other limits). */
export type ScanResult = { scan: 'clean' | 'too-large' } | { threat: string }

/** The longest that a scan may take, in milliseconds: less than the 15 minutes after which a job counts as lost. */
const patience = 10 * 60_000

/** Characters of an answer; clamd's are a line. */
const longest = 1_000

/**
 * Sends a file to clamd at `tcp://host:port` and returns what it found (clamd(8), INSTREAM). Throws when clamd cannot be
 * reached or fails: the file then stays unscanned, and another try may succeed.
 */
export async function scanForViruses(scanner: string, file: Readable): Promise<ScanResult> {
  const { hostname, port } = new URL(scanner)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  // A file can fail before it is read: reading it then throws.
  file.on('error', () => undefined)
  const late = setTimeout(() => socket.destroy(new Error('clamd did not answer in time')), patience)
  try {
    await once(socket, 'connect')
    const answer = answerOf(socket)
    const sent = await send(file, socket)
    return resultOf({ sent, ...(await answer) })
  } finally {
    clearTimeout(late)
    file.destroy()
    socket.destroy()
  }
}

interface Answer {
  said: string
  failure?: Error
}

/** What was answered until the connection ended, also where it ended by an error. */
function answerOf(socket: Socket): Promise<Answer> {
  const answer: Answer = { said: '' }
  socket.setEncoding('utf8')
  socket.on('data', part => {
    answer.said += part
    if (answer.said.length > longest) socket.destroy(new Error('clamd answered too much'))
  })
  socket.on('error', error => {
    answer.failure = error
  })
  // Who has answered reads nothing more.
  socket.on('end', () => socket.destroy())
  return new Promise(resolve => socket.on('close', () => resolve(answer)))
}

/** Whether all was sent. clamd closes the connection early when a file is too large: what it answered counts then. */
async function send(file: Readable, socket: Socket): Promise<boolean> {
  const closed = new AbortController()
  socket.on('close', () => closed.abort())
  for await (const part of framed(file)) {
    // An answer that has arrived is read first: a write to a closed connection would lose it. The first turn may be of a
    // round that has read already.
    await turn()
    await turn()
    if (!socket.writable) return false
    if (socket.write(part)) continue
    const goesOn = await once(socket, 'drain', { signal: closed.signal }).catch(() => undefined)
    if (!goesOn) return false
  }
  return true
}

/** Each part of the file after its length in four bytes; a length of zero ends it. */
async function* framed(file: Readable) {
  yield Buffer.from('zINSTREAM\0')
  for await (const part of file) {
    yield Buffer.concat([lengthOf(part.length), part])
  }
  yield lengthOf(0)
}

function lengthOf(size: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(size)
  return bytes
}

function resultOf({ said, sent, failure }: Answer & { sent: boolean }): ScanResult {
  const answer = said.replace(/\0$/, '').trim()
  if (answer === 'INSTREAM size limit exceeded. ERROR') return { scan: 'too-large' }
  // What is said of a part of the file is not said of the file.
  if (sent && answer === 'stream: OK') return { scan: 'clean' }
  const [, threat] = (sent && /^stream: (\P{Cc}+) FOUND$/u.exec(answer)) || []
  // With `AlertExceedsMax`: nothing was found, but not everything was looked at.
  if (threat?.startsWith('Heuristics.Limits.Exceeded')) return { scan: 'too-large' }
  if (threat) return { threat }
  throw failure ?? new Error(`clamd answered ${JSON.stringify(answer.slice(0, 200))}`)
}
