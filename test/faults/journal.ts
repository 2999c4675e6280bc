/** What a client did, and whether it was told that it is done. */
export type Kind = 'comment' | 'reply' | 'accepted' | 'declined' | 'arranged' | 'settings' | 'code' | 'signed-in'

export interface Entry {
  kind: Kind
  /** What of it is found in the database: a text, the id of a document, a number that counts up. */
  key: string
  /** Id of the person; for codes their address. */
  who: string
  acknowledged: boolean
}

export interface Answer {
  status: number
  headers: Record<string, string | undefined>
  text: string
  /** In milliseconds of `performance.now()`. */
  began: number
  ended: number
  method: string
  path: string
}

/** What was counted while one fault was there. */
export class Tally {
  acknowledged = 0
  reads = 0
  readonly statuses = new Map<number, number>()
  /** Answers and broken connections that nobody should get, each in a line. */
  readonly wrong: string[] = []
  /** Answers 502 and 504, to be judged when it is known who was killed when. */
  readonly broken: Answer[] = []
  signedOut = 0
  /** The longest that a code took to the mail server, in milliseconds. */
  slowestCode = 0

  of = (status: number) => this.statuses.get(status) ?? 0
}

/** Everything that all clients did, in the order in which they began it. */
export class Journal {
  readonly entries: Entry[] = []
  tally = new Tally()
  #serial = 0

  next = () => ++this.#serial

  /** Before it is sent: what gets no answer may have been done nevertheless. */
  begin(kind: Kind, who: string, key: string): Entry {
    const entry = { kind, key, who, acknowledged: false }
    this.entries.push(entry)
    return entry
  }

  acknowledge(entry: Entry) {
    entry.acknowledged = true
    this.tally.acknowledged++
  }

  /** Notes what every answer shows, whoever asked for it. */
  answered(answer: Answer) {
    const { tally } = this
    const { status, headers, method, path } = answer
    const line = `${status} ${method} ${path}`
    tally.statuses.set(status, tally.of(status) + 1)
    if (status === 502 || status === 504) tally.broken.push(answer)
    else if (status === 503 && !headers['retry-after']) tally.wrong.push(`${line} without Retry-After`)
    else if (status >= 500 && status !== 503) tally.wrong.push(line)
    if (status === 401 || (status === 303 && /\/sign-in/.test(headers.location ?? '') && method === 'GET'))
      tally.signedOut++
  }

  /** No answer at all. */
  cut(method: string, path: string, error: Error & { code?: string }) {
    this.tally.wrong.push(`${error.code ?? error.message} ${method} ${path}`)
  }
}
