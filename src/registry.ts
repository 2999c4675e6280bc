import { existsSync } from 'node:fs'
import { z } from 'zod'
import { roles } from './crm.ts'
import { hasIcon } from './icons.ts'
import { addSentences } from './language.ts'
import { addLetters } from './mail/letters.ts'
import { addViews } from './render.ts'
import type { Section } from './section.ts'

/** Words that addresses of the portal begin with already. */
const taken = [
  ...['sign-in', 'sign-out', 'forgot-password', 'reset-password', 'unlock', 'register', 'invitation', 'link', 'logo'],
  ...['verify', 'account', 'team', 'activity', 'search', 'notifications', 'step-up', 'not-me', 'api', 'confirm'],
  ...['visibility', 'exceptions', 'people', 'roles', 'mail', 'signing', 'reminders', 'questions', 'answers', 'links'],
  ...['branding', 'state', 'address', 'codes', 'tokens', 'me', 'settings', 'staff', 'directory', 'home', 'data'],
]

const fn = z.custom<object>(it => typeof it === 'function', 'must be a function')
const route = z.custom<object>(it => typeof it === 'function', 'must be a function of a router')
const icon = z.string().refine(hasIcon, 'must be one of the icons that Portico has')

/** What every plugin must have, whoever wrote it. */
const Shape = z.object({
  name: z
    .string('must be a word')
    .regex(/^[a-z][a-z0-9-]{1,40}$/, 'must be small letters, digits and hyphens')
    .refine(it => !taken.includes(it), 'is taken: addresses of the portal begin with it'),
  title: z.string('must be a text').min(1, 'must not be empty'),
  icon,
  order: z.number('must be a number'),
  permissions: z.record(z.string(), z.object({ label: z.string(), roles: z.array(z.enum(roles)) })),
  toggles: z.record(z.string(), z.object({ label: z.string(), about: z.string(), default: z.boolean() })),
  answers: z.record(z.string(), z.object({})),
  activity: z.record(z.string(), z.union([z.string(), z.object({ kind: z.string(), says: z.string() })])),
  mails: z.record(z.string(), z.object({ label: z.string(), facts: z.object({}), words: fn })).optional(),
  folder: z
    .string('must be the path of its folder: import.meta.dirname')
    .refine(it => existsSync(it), 'must be a folder that is there')
    .optional(),
  store: fn.optional(),
  stepUps: z.record(z.string(), z.object({ label: z.string() })).optional(),
  asks: z.record(z.string(), z.custom()).optional(),
  settings: z.object({ title: z.string(), icon, routes: route }).optional(),
  routes: route,
})

/**
 * All plugins of a portal, in their order, each with its views, sentences and mails known. Throws a TypeError that names
 * plugin and field where one is malformed, or two have the same name.
 */
export function registered(plugins: Section[]): Section[] {
  const names = new Set<string>()
  for (const it of plugins) {
    validate(it)
    if (names.has(it.name)) throw new TypeError(`createPortal: two plugins have the name ${it.name}.`)
    names.add(it.name)
  }
  for (const it of plugins) {
    addLetters(it.mails ?? {})
    if (it.folder) addFolder(it.name, it.folder)
  }
  return plugins.toSorted((a, b) => a.order - b.order)
}

function addFolder(name: string, folder: string) {
  addViews(name, folder)
  try {
    addSentences(folder)
  } catch (error) {
    throw new TypeError(`createPortal: plugin ${name}: a translation cannot be read: ${(error as Error).message}`)
  }
}

function validate(it: Section) {
  const name = String(it?.name ?? '(without a name)')
  const wrong = (field: string, sentence: string) => {
    throw new TypeError(`createPortal: plugin ${name}: ${field} ${sentence}.`)
  }
  const [issue] = Shape.safeParse(it).error?.issues ?? []
  if (issue) wrong(issue.path.join('.') || 'it', issue.message.replace(/^Invalid input: /, ''))
  if (!it.toggles[name]) wrong('toggles', `must have one of its own name, ${name}, which switches the whole of it`)
  if (!it.permissions[`${name}.see`]) wrong('permissions', `must have ${name}.see`)
  const own = { permissions: it.permissions, activity: it.activity, mails: it.mails, stepUps: it.stepUps }
  for (const [field, entries] of Object.entries(own))
    for (const key of Object.keys(entries ?? {}))
      if (!key.startsWith(`${name}.`)) wrong(`${field}.${key}`, `must begin with ${name} and a full stop`)
  for (const key of Object.keys(it.toggles))
    if (key !== name && !key.startsWith(`${name}.`)) wrong(`toggles.${key}`, `must begin with ${name} and a full stop`)
  for (const [field, entries] of Object.entries({ answers: it.answers, asks: it.asks }))
    for (const key of Object.keys(entries ?? {}))
      if (!key.startsWith(`${name}/`)) wrong(`${field}.${key}`, `must begin with ${name} and a slash`)
}
