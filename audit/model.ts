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
  /** The class that stands for it in the source, where its name differs. */
  model?: string
  view?: boolean
  /** Columns, or sets of them, that no two rows share; of a database the primary key comes first. */
  unique?: string[][]
  /** PostgreSQL's estimate. Not in the report, which is the same for the same schema. */
  rows?: number
}

export interface Route {
  /** `GET`, `POST`, … or `ANY`. */
  method: string
  /** With parameters as `:name`. */
  path: string
  /** Names of the guards, middleware, permission classes or base classes that it stands behind. */
  guards: string[]
  /** The framework says explicitly that no sign-in is needed. */
  open?: boolean
  /** The name of the handler: function, class and method, or file. */
  handler: string
  /** The code of the handler, where it was found. */
  body: string
  at: Evidence
  /** A page of the browser application, without server logic of its own. */
  page?: boolean
  /** What its address was read from, in the source. */
  framework?: string
}

/** How many routes of a framework were found in the source, and how much of each was understood. */
export interface Coverage {
  framework: string
  routes: number
  /** Of how many it is known who may call them. */
  guarded: number
  /** Of how many the handler was read. */
  handlers: number
}

/** A way in which somebody can sign in: a guard, a strategy, or a type of user. */
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

/** Server code about gateways, switches or tenancy, beside tables and routes. */
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
  /** Files of code in the source that were read, and those of languages that the audit does not read. */
  files?: number
  unread?: number
  /** How many files of code there are of each language of servers, by the ending of their names. */
  languages?: Record<string, number>
  /** The paths of the files of code. */
  paths?: string[]
  /** Files of the source in which guards and routes usually stand. */
  entrances?: Evidence[]
  /** The kind and version of the database that was looked at: `MariaDB`, `10.11`. */
  database?: { kind: 'PostgreSQL' | 'MySQL' | 'MariaDB'; version: string }
  /** What exists and could not be read, in sentences. */
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
