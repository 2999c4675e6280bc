/** Where a fact can be looked up: `file:line`, `table.column`, `GET /path`, or a package's name. */
export type Evidence = string

export interface Column {
  name: string
  /** As the source or the database writes it; empty where it does not say. */
  type: string
  at: Evidence
  /** The table that this column points at, declared or guessed. */
  references?: string
  /** The reference was guessed from names or values: nothing enforces it. */
  guessed?: boolean
  /** What the column may hold or holds, for status-like columns only. */
  values?: string[]
  /** What its values look like, from samples: `email`, `url`, `path`, `uuid`, `number`… Never a value. */
  format?: string
}

export interface Table {
  name: string
  schema?: string
  columns: Column[]
  at: Evidence
  /** The class that the source keeps it in, where it has another name. */
  model?: string
  view?: boolean
  /** Columns, or sets of them, that no two rows share. */
  unique?: string[][]
  /** PostgreSQL's estimate. It never reaches the report, which is to be the same for the same schema. */
  rows?: number
}

export interface Route {
  /** `GET`, `POST`, … or `ANY`. */
  method: string
  /** With parameters as `:name`. */
  path: string
  /** Names of the guards, middleware, permission classes or base classes that it stands behind. */
  guards: string[]
  /** The framework says in so many words that nobody need sign in. */
  open?: boolean
  /** The name of what answers: function, class and method, or file. */
  handler: string
  /** What answers, as text, where it was found. */
  body: string
  at: Evidence
  /** A page of the browser application, without server logic of its own. */
  page?: boolean
}

/** Someone who can prove who they are: a guard, a strategy, or a type of user. */
export interface Identity {
  kind: 'guard' | 'strategy' | 'type'
  name: string
  /** The table or model behind it. */
  table?: string
  at: Evidence
}

export interface Package {
  name: string
  at: Evidence
}

/** A line of server code that matters and is neither table nor route. */
export interface Mention {
  kind: 'gateway' | 'switch' | 'tenancy'
  text: string
  at: Evidence
}

export interface Facts {
  tables: Table[]
  routes: Route[]
  identities: Identity[]
  packages: Package[]
  mentions: Mention[]
  /** Which of the three inputs there were. */
  looked: { database: boolean; source: boolean; http: boolean }
  /** What was found to be there, and could not be looked at, in sentences. */
  notes: string[]
}

export const noFacts = (): Facts => ({
  tables: [],
  routes: [],
  identities: [],
  packages: [],
  mentions: [],
  looked: { database: false, source: false, http: false },
  notes: [],
})
