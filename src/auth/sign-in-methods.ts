import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { roles, type Workspace } from '../crm/crm.ts'
import { Invalid } from '../http/errors.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import type { StepUp } from '../plugin/parts.ts'
import { type Change, saveSettings, storedSettings } from '../plugin/stored-settings.ts'
import { type MfaPolicy, mfaPolicyName, mfaPolicyText, parseMfaPolicy } from './mfa-policy.ts'
import type { SignInStrategy } from './sign-in-strategy.ts'
import { assuranceLevels } from './step-up.ts'

/** The sign-in methods that a workspace may offer, named as in its settings. */
const all = [
  {
    name: 'sign-in.password',
    label: 'Password',
    about: 'Clients choose a password when they join, and can reset it by e-mail.',
  },
  {
    name: 'sign-in.code',
    label: 'Code by e-mail',
    about: 'Clients get a new six-digit code and a link by e-mail each time. There is nothing to remember.',
  },
] as const

const registration = {
  name: 'sign-in.registration',
  label: 'Ask for access',
  about:
    'People with a client’s customer code can request access. They confirm their address and wait under People until you approve them.',
} as const

const passkey = {
  name: 'sign-in.passkey',
  label: 'Passkeys',
  about:
    'People who have added a passkey sign in with their fingerprint, face or PIN. It always counts as a second factor.',
} as const

const switches = [...all, passkey, registration]

const keys = {
  'sign-in.password': 'password',
  'sign-in.code': 'code',
  'sign-in.registration': 'registration',
  'sign-in.passkey': 'passkey',
} as const

/** Returns the sign-in methods offered to a signed-out user. A portal without mail has only the password. */
export async function signInMethodsOf(database: Knex, workspace: string, mails: boolean) {
  const set = await storedSettings(database, workspace)
  const code = mails && (set.get('sign-in.code') ?? true)
  const registration = mails && (set.get('sign-in.registration') ?? false)
  const passkey = set.get('sign-in.passkey') ?? true
  return { passkey, password: !code || (set.get('sign-in.password') ?? true), code, registration, mails }
}

/** Returns the CRM's strategies that this workspace allows and has not switched off. */
export async function offeredStrategies(database: Knex, workspace: Workspace, all: SignInStrategy[]) {
  const its = strategiesOf(workspace, all)
  const set = its.length ? await storedSettings(database, workspace.id) : new Map()
  return its.filter(it => set.get(settingOf(it)) ?? true)
}

const strategiesOf = ({ slug }: Workspace, all: SignInStrategy[]) =>
  all.filter(it => !it.workspaces || it.workspaces.includes(slug))

const settingOf = ({ name }: SignInStrategy) => `sign-in.with.${name}`

interface Parts {
  database: Knex
  mails: boolean
  stepUps: Map<string, StepUp>
  strategies: SignInStrategy[]
}

/** Returns the switches of all sign-in methods, the CRM's included. A `fixed` one cannot be switched. */
async function switchesOf({ database, mails, strategies }: Parts, workspace: Workspace) {
  const on = await signInMethodsOf(database, workspace.id, mails)
  const custom = await offeredStrategies(database, workspace, strategies)
  return [
    ...switches.map(it => ({ ...it, on: on[keys[it.name]], fixed: !mails })),
    ...strategiesOf(workspace, strategies).map(it => ({
      name: settingOf(it),
      label: it.title,
      about: 'Clients are sent there to sign in, and come back signed in. It opens no account for who has none.',
      on: custom.includes(it),
      fixed: false,
    })),
  ]
}

export const showSignInMethods =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const { database, mails, stepUps } = parts
    const { workspace } = req.portal
    const [methods, set] = await Promise.all([
      switchesOf(parts, workspace),
      storedSettings<string>(database, workspace.id),
    ])
    res.respond('settings/sign-in', {
      methods,
      stepUps: [...stepUps].map(([action, it]) => ({
        name: `step-up.${action}`,
        ...it,
        level: levelOf(set, action, it),
      })),
      levels: assuranceLevels,
      mfaPolicy: mfaPolicyShown(set.get(mfaPolicyName), req),
      mails,
      saved: req.query.saved === '',
    })
  }

export const saveSignInMethods =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const { database, stepUps } = parts
    const form = z.record(z.string(), z.unknown()).catch({}).parse(req.portal.body)
    const { workspace, now } = req.portal
    const methods = await switchesOf(parts, workspace)
    // Browsers do not send an unticked box: `was.<name>` shows that it was on the page.
    const wanted = new Map(
      methods.map(({ name, on }) => [name, form[`was.${name}`] === undefined ? on : form[name] === 'on']),
    )
    if (!all.some(it => wanted.get(it.name)))
      throw new Invalid({ methods: ['Keep at least one sign-in method on.'] }, {})
    await saveSettings(database, req as Request, [
      ...methods
        .map(({ name, label, on }) => ({ name, label, before: on, after: wanted.get(name) ?? false }))
        .filter(it => it.before !== it.after),
      ...levelsIn(form, stepUps),
      ...mfaPolicyChanges(form, dateIn(zoneOf(workspace.timeZone), now)),
    ])
    res.redirect(303, req.portal.url('/sign-in?saved'))
  }

const levelOf = (set: Map<string, string>, action: string, { level }: StepUp) =>
  assuranceLevels.find(it => it === set.get(`step-up.${action}`)) ?? level

function levelsIn(form: Record<string, unknown>, stepUps: Map<string, StepUp>): Change[] {
  return [...stepUps].flatMap(([action, { label }]) => {
    const name = `step-up.${action}`
    const [before, after] = [form[`was.${name}`], form[name]].map(it => assuranceLevels.find(one => one === it))
    return before && after && before !== after ? [{ name, label, before, after, event: 'settings.step_up' }] : []
  })
}

function mfaPolicyShown(value: string | undefined, { portal }: Request<any>) {
  const typed = portal.problem instanceof Invalid ? formIn(portal.body) : undefined
  const it = typed ?? parseMfaPolicy(value)
  return { all: roles, roles: it?.roles ?? [], from: it?.from ?? '', text: mfaPolicyText(parseMfaPolicy(value)) }
}

const formIn = (form: unknown): MfaPolicy => ({
  from: z.string().catch('').parse(Object(form)['mfa.from']),
  roles: roles.filter(it => [Object(form)['mfa.roles']].flat().includes(it)),
})

/** Roles without a date begin today. */
function mfaPolicyChanges(form: Record<string, unknown>, today: string): Change[] {
  const before = form['was.mfa']
  if (typeof before !== 'string') return []
  const wanted = formIn(form)
  const from = /^\d{4}-\d\d-\d\d$/.test(wanted.from) ? wanted.from : today
  const after = mfaPolicyText(wanted.roles.length ? { ...wanted, from } : undefined)
  return before === after
    ? []
    : [{ name: mfaPolicyName, label: 'Second factor', before, after, event: 'settings.mfa_policy' }]
}
