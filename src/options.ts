import type { Knex } from 'knex'
import { pino } from 'pino'
import { z } from 'zod'
import { alertHost } from './auth/alerts.ts'
import type { SignInStrategy } from './auth/sign-in-strategy.ts'
import { stepUpHost } from './auth/step-up.ts'
import type { Crm, StaffOf } from './crm/crm.ts'
import { mappingShape } from './crm/mapping/section.ts'
import { isPagePattern } from './crm/pages.ts'
import { evidenceHost } from './evidence/subject.ts'
import { liveHost } from './live/plugin.ts'
import { mailHost } from './mail/kinds.ts'
import type { Transport } from './mail/transport.ts'
import { notificationHost } from './notifications/kinds.ts'
import type { FileStore } from './platform/files.ts'
import type { Flags } from './platform/flags.ts'
import type { Log } from './platform/log.ts'
import { type RepliesOptions, RepliesShape } from './platform/replies.ts'
import { sections as installed } from './plugin/discover.ts'
import type { Section } from './plugin/plugin.ts'
import { type PluginHost, registered } from './plugin/registry.ts'

/** The options of `createPortal`. */
export interface Options {
  /** PostgreSQL 14 or newer, connected as a role that owns no table and cannot bypass row-level security. */
  database: Knex
  /**
   * The same database and role, without a pooler that shares connections by transaction. The job queue uses it, with at
   * most two connections, and live updates with one of their own. `database` if omitted.
   */
  directDatabase?: Knex
  /** The CRM's adapter. */
  crm: Crm
  /** The feature flag `customer_portal_enabled`: see `flagsFromEnvironment`. */
  flags: Flags
  /** Returns the CRM's staff who sends a request; undefined for anybody else. */
  staff: StaffOf
  /** Secrets that sign cookies. The first one signs and all are accepted, so that they can be rotated. */
  secrets: string[]
  /**
   * Whether to use named prepared statements, which are faster. False behind a pooler that shares connections by
   * transaction and does not support them: PgBouncer before 1.21. True if omitted.
   */
  preparedStatements?: boolean
  /** Whether to compress pages (gzip) for browsers that accept it; false if a proxy does. True if omitted. */
  compress?: boolean
  /**
   * Bearer token with which Prometheus reads `/-/metrics`. If omitted, only the same machine may, and not through a
   * proxy.
   */
  metricsToken?: string
  /** Where clients find the portal, without the workspace: `https://crm.example/portal`. For links in mails. */
  address?: string
  /**
   * Where staff find the settings: `https://crm.example/settings/client-portal`. For links in mails to staff.
   * `/settings/client-portal` at the host of `address` if omitted.
   */
  settingsAddress?: string
  /**
   * How to send mail: by SMTP (`url` as `smtp://user:password@host:587`), or by a function of your own. `from` is an
   * address; the sender's name is the workspace's. If omitted, no mail is sent, and features that need mail are not
   * offered.
   */
  mail?: { from: string; url: string } | { from: string; send: Transport }
  /** Where replies to mails arrive: see docs/mail-replies.md. If omitted, mails say nothing of replies. */
  replies?: RepliesOptions
  /** A time-stamp authority (RFC 3161) for the time in each seal: `https://tsa.example`. None if omitted. */
  timestamps?: string
  /**
   * Path of a GeoIP database (a MaxMind DB file, such as GeoLite2-City.mmdb), read at start. People then see about where
   * their devices are. If omitted, no place is shown.
   */
  geoip?: string
  /**
   * Where uploaded files are stored: `filesIn('/var/lib/portico/files')`, a folder that all instances share, or
   * `filesInS3({ bucket })`. If omitted, nothing can be uploaded, and documents are offered only where the CRM has them.
   */
  files?: FileStore
  /**
   * Address of clamd, which scans uploaded files for viruses: `tcp://127.0.0.1:3310`. If omitted, nothing is scanned, and
   * staff see that.
   */
  scanner?: string
  /** Origins whose pages may call the API with a token, such as `https://app.example`. None if omitted. */
  origins?: string[]
  /** Logs requests and errors; pino on standard output if omitted. */
  log?: Log
  /** The sections; those in plugins/ if omitted. */
  sections?: Section[]
  /** Additional plugins, from npm or your own: see docs/plugins.md. */
  plugins?: Section[]
  /** Additional sign-in methods for clients, by Passport strategies of your own: see docs/sign-in.md. */
  signIn?: { strategies: SignInStrategy[] }
  /** Seconds between checks that the CRM still is as it was when its audit was accepted; 60 if omitted. */
  checkEvery?: number
}

type Maybe =
  | 'directDatabase'
  | 'files'
  | 'metricsToken'
  | 'address'
  | 'scanner'
  | 'settingsAddress'
  | 'mail'
  | 'replies'
  | 'timestamps'
export type Checked = Required<Omit<Options, Maybe>> & Pick<Options, Maybe>

const fn = (about: string) => z.custom<any>(it => typeof it === 'function', `must be ${about}`)
const part = (name: string, about: string) =>
  z.custom<any>(it => typeof (it as any)?.[name] === 'function', `must be ${about}`)

const pages = z.union(
  [fn('a function'), z.record(z.string(), z.string().refine(isPagePattern, 'must be a path or an address with https'))],
  'must be addresses by kind of record, each a path or an address with https, or a function',
)

const connected = z.custom<Knex>(
  it => typeof it === 'function' && typeof (it as any).transaction === 'function',
  'must be a knex instance, as knex({ client: "pg", … }) gives',
)

const Strategy = z.object({
  name: z.string('must be a name').regex(/^[a-z][a-z0-9-]*$/, 'must be of lower-case letters, digits and hyphens'),
  title: z.string('must be a title').regex(/^[^{}]{1,60}$/, 'must have at most 60 characters, and no braces'),
  strategy: part('authenticate', 'a passport strategy'),
  workspaces: z.array(z.string(), 'must be a list of slugs').optional(),
})

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
          clientsOfDocuments: fn('a function').optional(),
          stillThere: fn('a function').optional(),
          logo: fn('a function').optional(),
          changeContact: fn('a function').optional(),
          owner: fn('a function').optional(),
          admins: fn('a function').optional(),
        },
        'must be an object',
      ),
      connect: fn('a function'),
      reads: z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
      writes: z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
      adds: z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
      database: z.custom<Knex>().optional(),
      refresh: fn('a function').optional(),
      identity: part('verify', 'an object with verify').optional(),
      pages: pages.optional(),
      changes: z.record(z.string(), fn('a function')).optional(),
      notify: fn('a function').optional(),
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
  settingsAddress: z
    .url({
      protocol: /^https?$/,
      message: 'must be an address like https://crm.example/settings/client-portal',
    })
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
  replies: RepliesShape.optional(),
  timestamps: z.url({ protocol: /^https?$/, message: 'must be an address like https://tsa.example' }).optional(),
  geoip: z.string('must be the path of a file').min(1, 'must be the path of a file').optional(),
  files: part('write', 'what filesIn() or filesInS3() gives').optional(),
  scanner: z
    .url({ protocol: /^tcp$/, message: 'must be an address like tcp://127.0.0.1:3310' })
    .refine(it => URL.parse(it)?.port, 'must be an address like tcp://127.0.0.1:3310')
    .optional(),
  origins: z
    .array(
      z.string().refine(it => URL.parse(it)?.origin === it, 'must be an origin like https://app.example'),
      'must be a list of origins',
    )
    .default([]),
  log: part('error', 'a logger with info, warn and error').default(() => pino()),
  sections: z.array(z.custom<Section>()).default(() => installed),
  plugins: z.array(z.custom<Section>(), 'must be a list of plugins').default([]),
  signIn: z
    .object(
      {
        strategies: z
          .array(Strategy, 'must be a list')
          .refine(its => new Set(its.map(it => it.name)).size === its.length, 'must have names of their own'),
      },
      'must be { strategies }',
    )
    .default({ strategies: [] }),
  checkEvery: z.number('must be a number of seconds').min(0.1, 'must be a number of seconds').max(86_400).default(60),
})

/** The hosts that plugins register with. */
export const pluginHosts: PluginHost[] = [
  mailHost,
  evidenceHost,
  stepUpHost,
  liveHost,
  notificationHost,
  alertHost,
  { shape: mappingShape, add: () => undefined },
]

/** Validates the options. Throws a TypeError that names a wrong one. */
export function checked(options: Options): Checked {
  const result = Shape.safeParse(options ?? {})
  if (result.success) {
    const { mail, address } = result.data
    if (mail && !address)
      throw new TypeError('createPortal: option address must be given with mail, for the links in it.')
    const { sections, plugins } = result.data
    const settingsAddress = result.data.settingsAddress ?? (address && new URL('/settings/client-portal', address).href)
    return {
      ...result.data,
      settingsAddress,
      sections: registered([...sections, ...plugins], pluginHosts),
    } as Checked
  }
  const [issue] = result.error.issues
  const path = issue?.path
    .map(it => (typeof it === 'number' ? `[${it}]` : `.${String(it)}`))
    .join('')
    .slice(1)
  throw new TypeError(`createPortal: option ${path} ${issue?.message}.`)
}
