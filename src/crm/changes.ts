/** A record that the CRM made or changed. */
interface ChangedRecord {
  id: string
  /** The client that it belongs to. */
  client: string
}

/** What changed since a mark. */
interface Changes {
  /** Those that changed first come first. */
  items: ChangedRecord[]
  /** The mark behind the last of them: opaque text that this function made. */
  next: string
}

interface AskedChanges {
  /** The mark of the last call; empty at the first one, which gives none, and the newest mark. */
  since: string
  /** Whether the mark has moved within two minutes: then also what was committed late, behind the mark. */
  recent: boolean
  /** How many at most; those committed late come in addition. */
  size: number
}

/**
 * Which records of a section the CRM made or changed since a mark. It is asked once a minute and must cost next to nothing
 * while nothing changes. Undefined where it cannot be told without reading a whole table.
 */
export type FindChanges = (workspace: { id: string; slug: string }, asked: AskedChanges) => Promise<Changes | undefined>
