import { existsSync } from 'node:fs'
import { type ZodObject, type ZodRawShape, type ZodType, z } from 'zod'
import { roles } from '../crm/crm.ts'
import { addAssets } from '../http/assets.ts'
import { hasIcon } from '../http/icons.ts'
import { addViews } from '../http/render.ts'
import { addSentences } from '../platform/i18n.ts'
import { type Section, type SettingsGroup, settingsGroups } from './plugin.ts'
import { coreSentences as coreEvents } from './sentences.ts'

/** What a host takes from plugins beyond the contract of all: how it looks, and what becomes of it. */
export interface PluginHost {
  /** By field of the plugin. */
  shape: ZodRawShape
  add(plugin: Section): void
}

/** Words that addresses of the portal, or of its settings, begin with already. */
const taken = [
  ...['sign-in', 'sign-out', 'forgot-password', 'reset-password', 'unlock', 'register', 'invitation', 'link', 'logo'],
  ...['verify', 'account', 'team', 'activity', 'search', 'step-up', 'not-me', 'api', 'confirm'],
  ...[
    'visibility',
    'why',
    'view',
    'exceptions',
    'people',
    'roles',
    'mail',
    'signing',
    'responses',
    'branding',
    'state',
    'address',
  ],
  ...['codes', 'tokens', 'me', 'settings', 'staff', 'directory', 'home', 'data', 'evidence', 'waiting', 'live'],
]

/** Path segments under the account that are taken. */
const takenInAccount = [
  ...['client', 'preferences', 'password', 'address', 'second-factor', 'recovery-codes', 'passkeys', 'devices', 'home'],
]

const word = z.string('must be a word').regex(/^[a-z][a-z0-9-]{1,40}$/, 'must be small letters, digits and hyphens')
const free = word.refine(it => !taken.includes(it), 'is taken: an address begins with it')

const fn = z.custom<object>(it => typeof it === 'function', 'must be a function')
const route = z.custom<object>(it => typeof it === 'function', 'must be a function of a router')
const folder = z
  .string('must be the path of its folder: import.meta.dirname')
  .refine(it => existsSync(it), 'must be a folder that is there')
const icon = z.string().refine(hasIcon, 'must be one of the icons that Portico has')
const schema = z.custom<object>(it => typeof (it as any)?.safeParse === 'function', 'must be a schema of zod')
const list = z.array(z.string())
const auditEntry = z.object({ question: z.string(), adds: z.string(), of: list.optional() })
const ofOne = z.array(z.string().regex(/^\/:id(\/|$)/, 'must be below /:id'))

const SubjectShape = z.object({
  label: z.string('must be a text'),
  find: fn,
  page: z.string('must be a view'),
  link: z.object({ toggle: z.string(), opens: ofOne, may: list, without: list, withoutCode: list }).optional(),
  expiring: z.object({ may: list, on: list, answerable: fn, list: fn, find: fn }).optional(),
  payable: z.object({ may: list, downPayments: z.literal(true).optional(), list: fn, find: fn }).optional(),
  due: z.object({ may: list, on: list, list: fn }).optional(),
  changed: z.object({ may: list, news: fn, undated: z.literal(true).optional(), newest: fn }).optional(),
})

/** The shape that every plugin must have. */
const shape = {
  name: word.refine(it => !taken.includes(it), 'is taken: addresses of the portal begin with it'),
  title: z.string('must be a text').min(1, 'must not be empty'),
  icon,
  order: z.number('must be a number'),
  unlisted: z.boolean('must be true or false').optional(),
  permissions: z.record(
    z.string(),
    z.object({ label: z.string(), roles: z.array(z.enum(roles)), toggle: z.string().optional() }),
  ),
  toggles: z.record(z.string(), z.object({ label: z.string(), about: z.string(), default: z.boolean() })),
  responseSchemas: z.record(z.string(), z.object({})),
  activity: z.record(z.string(), z.union([z.string(), z.object({ kind: z.string(), sentence: z.string() })])),
  folder: folder.optional(),
  shared: z.array(folder).optional(),
  store: fn.optional(),
  beside: fn.optional(),
  stepUps: z.record(z.string(), z.object({ label: z.string() })).optional(),
  requestSchemas: z.record(z.string(), z.custom()).optional(),
  settings: z
    .object({
      title: z.string(),
      icon,
      path: free.optional(),
      order: z.number().optional(),
      group: z.enum(Object.keys(settingsGroups) as [SettingsGroup]).optional(),
      waiting: z.string().optional(),
      waits: z.tuple([z.string(), z.string()]).optional(),
      routes: route,
    })
    .optional(),
  subject: SubjectShape.optional(),
  attached: z.object({ select: z.string(), shape: schema }).optional(),
  slots: z.record(z.string(), z.object({ view: z.string('must be a view'), data: fn.optional() })).optional(),
  account: z.object({ path: word.optional(), routes: route }).optional(),
  // Public links have been at `link` since before there were plugins.
  public: z
    .object({ path: word.refine(it => it === 'link' || !taken.includes(it), 'is taken'), routes: route })
    .optional(),
  linked: z.object({ of: fn, toggle: z.string(), may: list, routes: route }).optional(),
  kept: route.optional(),
  options: z
    .record(
      z.string(),
      z.object({
        label: z.string(),
        shape: schema.refine(it => (it as ZodType).safeParse(undefined).success, 'must have a default'),
        secret: z.boolean().optional(),
      }),
    )
    .optional(),
  csp: z
    .partialRecord(
      z.enum(
        ['img-src', 'connect-src', 'frame-src', 'media-src', 'font-src'],
        'must be a directive that may be widened',
      ),
      z.array(z.string().regex(/^(https:\/\/|data:|blob:)[^\s;,]*$/, 'must be sources such as https://maps.example')),
    )
    .optional(),
  webhook: fn.optional(),
  webhookLimit: z.number('must be a number of bytes').positive().optional(),
  privacy: z.object({ exports: fn.optional(), erases: fn.optional(), prunes: fn.optional() }).optional(),
  replies: z.object({ take: fn }).optional(),
  checks: fn.optional(),
  commands: z.record(z.string(), z.object({ about: z.string(), run: fn })).optional(),
  fixtures: fn.optional(),
  audit: z.union([auditEntry, z.array(auditEntry)]).optional(),
  jobs: z
    .record(
      z.string(),
      z.object({
        every: z.number().min(60, 'must be 60 seconds or more').optional(),
        due: fn.optional(),
        whileOff: z.boolean('must be true or false').optional(),
        formerly: z.string('must be a text').optional(),
        work: fn,
      }),
    )
    .optional(),
  followUps: z.record(z.string(), z.string()).optional(),
  capabilities: z.record(z.string(), fn).optional(),
  with: z.record(z.string(), z.object({})).optional(),
  routes: route,
}

/**
 * All plugins of a portal, in order, with their views, sentences and parts registered. `with` parts are added where the
 * other plugin is installed. Throws a TypeError that names plugin and field if one is malformed or two have the same
 * name.
 */
export function registered(plugins: Section[], hosts: PluginHost[] = []): Section[] {
  const names = new Set<string>()
  const Shape = z.object(Object.assign({}, shape, ...hosts.map(it => it.shape)))
  for (const it of plugins) {
    validate(it, Shape)
    if (names.has(it.name)) throw new TypeError(`createPortal: two plugins have the name ${it.name}.`)
    names.add(it.name)
  }
  const all = plugins.map(it => withParts(it, plugins)).toSorted((a, b) => a.order - b.order)
  requireOneEach(all)
  for (const it of all) {
    for (const host of hosts) host.add(it)
    if (it.folder) addFolders(it.name, [it.folder, ...(it.shared ?? [])])
  }
  return all
}

/** A plugin with what it has only because others are there. */
function withParts(plugin: Section, plugins: Section[]): Section {
  const names = plugins.map(it => it.name)
  const parts = Object.entries(plugin.with ?? {}).flatMap(([other, part]) => (names.includes(other) ? [part] : []))
  const merged = <Field extends 'permissions' | 'toggles' | 'activity' | 'responseSchemas' | 'mails'>(field: Field) =>
    Object.assign({}, plugin[field], ...parts.map(it => it[field]))
  return {
    ...plugin,
    permissions: merged('permissions'),
    toggles: merged('toggles'),
    activity: merged('activity'),
    responseSchemas: withAttached(plugin, merged('responseSchemas'), plugins),
    mails: merged('mails'),
  }
}

/** The API's answer for the page of each subject also has what plugins keep of it. */
function withAttached({ subject }: Section, answers: Record<string, ZodObject>, plugins: Section[]) {
  const attached = Object.fromEntries(plugins.flatMap(it => (it.attached ? [[it.name, it.attached.shape]] : [])))
  return Object.fromEntries(
    Object.entries(answers).map(([view, it]) => [view, view === subject?.page ? it.extend(attached) : it]),
  )
}

/** Two plugins may not answer the same address of the settings or the account, nor name or offer the same. */
function requireOneEach(plugins: Section[]) {
  const seen = new Map<string, string>()
  for (const { name, account, activity, public: open, capabilities, settings, stepUps } of plugins)
    for (const it of [
      `address ${name}`,
      ...(open && open.path !== name ? [`address ${open.path}`] : []),
      ...(settings ? [`settings page ${settings.path ?? name}`] : []),
      ...(account ? [`account page ${account.path ?? name}`] : []),
      ...Object.keys(capabilities ?? {}).map(one => `capability ${one}`),
      ...Object.keys(activity).map(one => `event ${one}`),
      ...Object.keys(stepUps ?? {}).map(one => `step-up ${one}`),
    ]) {
      const other = seen.get(it)
      if (other) throw new TypeError(`createPortal: plugins ${other} and ${name} both have the ${it}.`)
      seen.set(it, name)
    }
}

function addFolders(name: string, folders: [own: string, ...shared: string[]]) {
  addViews(name, folders)
  addAssets(name, folders[0])
  try {
    for (const it of folders) addSentences(it)
  } catch (error) {
    throw new TypeError(`createPortal: plugin ${name}: a translation cannot be read: ${(error as Error).message}`)
  }
}

function validate(it: Section, Shape: ZodObject) {
  const name = String(it?.name ?? '(without a name)')
  const wrong = (field: string, sentence: string) => {
    throw new TypeError(`createPortal: plugin ${name}: ${field} ${sentence}.`)
  }
  const [issue] = Shape.safeParse(it).error?.issues ?? []
  if (issue) wrong(issue.path.join('.') || 'it', issue.message.replace(/^Invalid input: /, ''))
  const isSection = Object.keys(it.permissions).length > 0 || Object.keys(it.toggles).length > 0
  if (isSection && !it.toggles[name])
    wrong('toggles', `must have one of its own name, ${name}, which switches the whole of it`)
  if (isSection && !(it.permissions as Record<string, unknown>)[`${name}.see`])
    wrong('permissions', `must have ${name}.see`)
  if (it.attached && name.includes('-')) wrong('name', 'must be without hyphens, since views know `attached` by it')
  if (it.account && takenInAccount.includes(it.account.path ?? name))
    wrong('account.path', 'is taken: addresses of the account go on with it')
  for (const [event, job] of Object.entries(it.followUps ?? {}))
    if (!Object.hasOwn(it.jobs ?? {}, job)) wrong(`followUps.${event}`, 'must be one of its jobs')
  for (const part of [it, ...Object.values(it.with ?? {})]) validateNames(name, part, wrong)
}

type Named = Partial<
  Pick<
    Section,
    | 'permissions'
    | 'toggles'
    | 'activity'
    | 'responseSchemas'
    | 'mails'
    | 'notifications'
    | 'stepUps'
    | 'requestSchemas'
    | 'jobs'
    | 'options'
    | 'account'
  >
>

/**
 * Whatever a plugin names begins with its own name, so that no two can mean the same; events and step-ups of its pages of
 * the account may begin with `account`.
 */
function validateNames(name: string, it: Named, wrong: (field: string, sentence: string) => void) {
  const ofAccount = (field: string, key: string) =>
    it.account !== undefined && ['activity', 'stepUps'].includes(field) && key.startsWith('account.')
  const own = {
    permissions: it.permissions,
    activity: it.activity,
    mails: it.mails,
    notifications: it.notifications,
    stepUps: it.stepUps,
    jobs: it.jobs,
    options: it.options,
  }
  for (const [field, entries] of Object.entries(own))
    for (const key of Object.keys(entries ?? {}))
      if (!key.startsWith(`${name}.`) && !ofAccount(field, key))
        wrong(`${field}.${key}`, `must begin with ${name} and a full stop`)
  for (const key of Object.keys(it.activity ?? {}))
    if (key in coreEvents) wrong(`activity.${key}`, 'is an event of the portal itself')
  for (const key of Object.keys(it.toggles ?? {}))
    if (key !== name && !key.startsWith(`${name}.`)) wrong(`toggles.${key}`, `must begin with ${name} and a full stop`)
  for (const [field, entries] of Object.entries({
    responseSchemas: it.responseSchemas,
    requestSchemas: it.requestSchemas,
  }))
    for (const key of Object.keys(entries ?? {}))
      if (!key.startsWith(`${name}/`)) wrong(`${field}.${key}`, `must begin with ${name} and a slash`)
}
