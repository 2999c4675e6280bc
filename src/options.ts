import type { Request } from 'express'
import type { Knex } from 'knex'
import { pino } from 'pino'
import { z } from 'zod'
import type { Crm, Staff } from './crm.ts'
import type { Flags } from './flags.ts'
import type { Log } from './log.ts'
import type { Transport } from './mail/transport.ts'
import { registered } from './registry.ts'
import type { Section } from './section.ts'
import { sections as installed } from './sections.ts'

export interface Options {
  /** On PostgreSQL 14 or newer, connected as a role that owns no table and cannot bypass row-level security. */
  database: Knex
  /**
   * The same database and role, past a pooler that shares connections by the transaction. The job queue uses it, with
   * two connections at most. `database` if not given.
   */
  directDatabase?: Knex
  /** The CRM's adapter. */
  crm: Crm
  /** The feature flag `customer_portal_enabled`: see `flagsFromEnvironment`. */
  flags: Flags
  /** Who of the CRM's own people is asking; undefined for anybody else. */
  staff(req: Request): Promise<Staff | undefined> | Staff | undefined
  /** They sign cookies: the first one signs, all are accepted, so that they can be changed one after the other. */
  secrets: string[]
  /**
   * Whether statements are prepared under names, which is quicker. False behind a pooler that shares connections by the
   * transaction and keeps no names: PgBouncer before 1.21. True if not given.
   */
  preparedStatements?: boolean
  /** Whether pages are compressed (gzip) for who takes it: false where a proxy does. True if not given. */
  compress?: boolean
  /** Bearer token with which Prometheus reads `/-/metrics`. If not given, only the same machine may, and not through a proxy. */
  metricsToken?: string
  /** Where clients find the portal, without the workspace: `https://crm.example/portal`. For links in mails. */
  address?: string
  /**
   * How mails leave: by SMTP (`url` as `smtp://user:password@host:587`), or by a function of your own. `from` is an
   * address; the name beside it is the workspace's. If not given, no mail is sent and what needs one is not offered.
   */
  mail?: { from: string; url: string } | { from: string; send: Transport }
  /** A time-stamp authority (RFC 3161) whose time goes into each seal: `https://tsa.example`. None if not given. */
  timestamps?: string
  /** Origins whose pages may ask the API with a token, as `https://app.example`. None if not given. */
  origins?: string[]
  /** Where requests and errors are told; pino on standard output if not given. */
  log?: Log
  /** Those in plugins/ if not given. */
  sections?: Section[]
  /** More of them, from npm or of your own: see docs/plugins.md. */
  plugins?: Section[]
  /** Seconds between two looks at whether the CRM is still as it was when its audit was accepted; 60 if not given. */
  checkEvery?: number
}

type Maybe = 'directDatabase' | 'metricsToken' | 'address' | 'mail' | 'timestamps'
type Checked = Required<Omit<Options, Maybe>> & Pick<Options, Maybe>

const fn = (about: string) => z.custom<any>(it => typeof it === 'function', `must be ${about}`)
const part = (name: string, about: string) =>
  z.custom<any>(it => typeof (it as any)?.[name] === 'function', `must be ${about}`)

const connected = z.custom<Knex>(
  it => typeof it === 'function' && typeof (it as any).transaction === 'function',
  'must be a knex instance, as knex({ client: "pg", … }) gives',
)

const Shape = z.object({
  database: connected,
  directDatabase: connected.optional(),
  crm: z.object(
    {
      directory: z.object(
        {
          workspace: fn('a function'),
          client: fn('a function'),
          contacts: fn('a function'),
          clients: fn('a function').optional(),
          stillThere: fn('a function').optional(),
          logo: fn('a function').optional(),
        },
        'must be an object',
      ),
      connect: fn('a function'),
      reads: z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
      writes: z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
      database: z.custom<Knex>().optional(),
      refresh: fn('a function').optional(),
      identity: part('verify', 'an object with verify').optional(),
    },
    'must be an adapter: { directory, connect }',
  ),
  flags: part('enabled', 'what flagsFromEnvironment() resolves to'),
  staff: fn('a function from a request to { id, name, workspace, admin } or undefined'),
  secrets: z
    .array(
      z.string().min(32, 'must have at least 32 characters'),
      'must be a list of strings of at least 32 characters',
    )
    .min(1, 'must hold at least one string of 32 characters or more'),
  preparedStatements: z.boolean('must be true or false').default(true),
  compress: z.boolean('must be true or false').default(true),
  metricsToken: z.string('must be a string').min(16, 'must have at least 16 characters').optional(),
  address: z
    .url({ protocol: /^https?$/, message: 'must be an address like https://crm.example/portal' })
    .transform(it => it.replace(/\/+$/, ''))
    .optional(),
  mail: z
    .union(
      [
        z.object({ from: z.email(), url: z.url({ protocol: /^smtps?$/ }) }),
        z.object({ from: z.email(), send: fn('a function') }),
      ],
      'must be { from, url } with an e-mail address and smtp://…, or { from, send }',
    )
    .optional(),
  timestamps: z.url({ protocol: /^https?$/, message: 'must be an address like https://tsa.example' }).optional(),
  origins: z
    .array(
      z.string().refine(it => URL.parse(it)?.origin === it, 'must be an origin like https://app.example'),
      'must be a list of origins',
    )
    .default([]),
  log: part('error', 'a logger with info, warn and error').default(() => pino()),
  sections: z.array(z.custom<Section>()).default(() => installed),
  plugins: z.array(z.custom<Section>(), 'must be a list of plugins').default([]),
  checkEvery: z.number('must be a number of seconds').min(0.1, 'must be a number of seconds').max(86_400).default(60),
})

/** A wrong option stops the start with a sentence that names it. */
export function checked(options: Options): Checked {
  const result = Shape.safeParse(options ?? {})
  if (result.success) {
    const { mail, address } = result.data
    if (mail && !address)
      throw new TypeError('createPortal: option address must be given with mail, for the links in it.')
    const { sections, plugins } = result.data
    return { ...result.data, sections: registered([...sections, ...plugins]) } as Checked
  }
  const [issue] = result.error.issues
  const path = issue?.path
    .map(it => (typeof it === 'number' ? `[${it}]` : `.${String(it)}`))
    .join('')
    .slice(1)
  throw new TypeError(`createPortal: option ${path} ${issue?.message}.`)
}
