import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

/** What the scanner found. A file can be larger than clamd takes (its `StreamMaxLength` and other limits). */
export type ScanResult = { scan: 'clean' | 'too-large' } | { threat: string }

/** How long is waited, in milliseconds. */
const patience = {
  /** For a whole scan: less than the 15 minutes after which a job counts as lost. */
  whole: 10 * 60_000,
  /** For the connection, and for the next bytes to be read or taken. */
  idle: 30_000,
  /** For the answer, once everything is sent: clamd gives up after two minutes (`MaxScanTime`). */
  answer: 150_000,
}

/** Characters of an answer; clamd's are a line. */
const longest = 1_000

/**
 * Sends a file to clamd at `tcp://host:port` and returns what it found (clamd(8), INSTREAM). Throws when clamd cannot be
 * reached or fails: the file then stays unscanned, and another try may succeed.
 */
export async function scanForViruses(
  scanner: string,
  file: Readable,
  { whole, idle, answer: longestAnswer } = patience,
): Promise<ScanResult> {
  const socket = socketTo(scanner)
  // A file can fail before it is read: reading it then throws.
  file.on('error', () => undefined)
  const giveUp = () => {
    const late = new Error('clamd did not answer in time')
    socket.destroy(late)
    file.destroy(late)
  }
  const late = setTimeout(giveUp, whole)
  let waiting = setTimeout(giveUp, idle)
  try {
    await once(socket, 'connect')
    const answer = answerOf(socket)
    const sent = await send(file, socket, () => waiting.refresh())
    clearTimeout(waiting)
    waiting = setTimeout(giveUp, longestAnswer)
    return resultOf({ sent, ...(await answer) })
  } finally {
    clearTimeout(late)
    clearTimeout(waiting)
    file.destroy()
    socket.destroy()
  }
}

/** Whether a scanner answers (clamd(8), PING): throws, within seconds, where it does not. */
export async function checkScanner(scanner: string): Promise<void> {
  const socket = socketTo(scanner)
  const late = setTimeout(() => socket.destroy(new Error('it did not answer in time')), 5_000)
  try {
    await once(socket, 'connect')
    const answer = answerOf(socket)
    socket.write('zPING\0')
    const { said, failure } = await answer
    if (said !== 'PONG\0') throw failure ?? new Error(`it answered ${JSON.stringify(said.slice(0, 200))}`)
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

function socketTo(scanner: string): Socket {
  const { hostname, port } = new URL(scanner)
  return connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
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
async function send(file: Readable, socket: Socket, progress: () => void): Promise<boolean> {
  const closed = new AbortController()
  socket.on('close', () => closed.abort())
  for await (const part of framed(file)) {
    progress()
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
