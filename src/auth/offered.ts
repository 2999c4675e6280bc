import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { roles } from '../crm.ts'
import { Invalid } from '../errors.ts'
import { dateIn, zoneOf } from '../language.ts'
import type { StepUp } from '../section.ts'
import { type Change, save, stored } from '../settings/store.ts'
import { type Demand, demandIn, demandName, demandText } from './demand.ts'
import { rungs } from './step-up.ts'

/** The ways in that a workspace may offer; names are those of its settings. */
const all = [
  {
    name: 'sign-in.password',
    label: 'Password',
    about: 'Clients choose one when they come in, and may replace a forgotten one by mail.',
  },
  {
    name: 'sign-in.code',
    label: 'Code by mail',
    about:
      'Clients get six digits and a link by mail, each time anew. There is nothing to remember, and nothing to forget.',
  },
] as const

const registration = {
  name: 'sign-in.registration',
  label: 'Ask for access',
  about:
    'Whoever has the customer code of a client may ask to come in: they confirm their address, and wait under People until you let them in.',
} as const

const passkey = {
  name: 'sign-in.passkey',
  label: 'Passkeys',
  about:
    'Whoever has added one under their account signs in by fingerprint, face or PIN. As second factor it counts in any case.',
} as const

const switches = [...all, passkey, registration]

const keys = {
  'sign-in.password': 'password',
  'sign-in.code': 'code',
  'sign-in.registration': 'registration',
  'sign-in.passkey': 'passkey',
} as const

/** What is offered to who is not signed in. A portal without mail has the password only. */
export async function offered(database: Knex, workspace: string, mails: boolean) {
  const set = await stored(database, workspace)
  const code = mails && (set.get('sign-in.code') ?? true)
  const registration = mails && (set.get('sign-in.registration') ?? false)
  const passkey = set.get('sign-in.passkey') ?? true
  return { passkey, password: !code || (set.get('sign-in.password') ?? true), code, registration, mails }
}

interface Parts {
  database: Knex
  mails: boolean
  stepUps: Map<string, StepUp>
}

export const showOffered =
  ({ database, mails, stepUps }: Parts): RequestHandler =>
  async (req, res) => {
    const workspace = req.portal.workspace.id
    const [on, set] = await Promise.all([offered(database, workspace, mails), stored<string>(database, workspace)])
    res.answer('settings/sign-in', {
      ways: switches.map(it => ({ ...it, on: on[keys[it.name]] })),
      stepUps: [...stepUps].map(([action, it]) => ({
        name: `step-up.${action}`,
        ...it,
        rung: rungOf(set, action, it),
      })),
      rungs,
      demand: demandShown(set.get(demandName), req),
      mails,
      saved: req.query.saved === '',
    })
  }

export const saveOffered =
  ({ database, mails, stepUps }: Parts): RequestHandler =>
  async (req, res) => {
    const form = z.record(z.string(), z.unknown()).catch({}).parse(req.portal.body)
    const { workspace, now } = req.portal
    const before = await offered(database, workspace.id, mails)
    // One that is not ticked is not sent: `was.<name>` says that it was on the page.
    const wanted = new Map(
      switches.map(({ name }) => [name, form[`was.${name}`] === undefined ? before[keys[name]] : form[name] === 'on']),
    )
    if (!all.some(it => wanted.get(it.name))) throw new Invalid({ way: ['Leave at least one way in.'] }, {})
    await save(database, req as Request, [
      ...switches
        .map(({ name, label }) => ({ name, label, before: before[keys[name]], after: wanted.get(name) ?? false }))
        .filter(it => it.before !== it.after),
      ...rungsIn(form, stepUps),
      ...demandChanges(form, dateIn(zoneOf(workspace.timeZone), now)),
    ])
    res.redirect(303, req.portal.url('/sign-in?saved'))
  }

const rungOf = (set: Map<string, string>, action: string, { rung }: StepUp) =>
  rungs.find(it => it === set.get(`step-up.${action}`)) ?? rung

function rungsIn(form: Record<string, unknown>, stepUps: Map<string, StepUp>): Change[] {
  return [...stepUps].flatMap(([action, { label }]) => {
    const name = `step-up.${action}`
    const [before, after] = [form[`was.${name}`], form[name]].map(it => rungs.find(one => one === it))
    return before && after && before !== after ? [{ name, label, before, after, event: 'settings.rung' }] : []
  })
}

function demandShown(value: string | undefined, { portal }: Request<any>) {
  const typed = portal.problem instanceof Invalid ? formIn(portal.body) : undefined
  const it = typed ?? demandIn(value)
  return { all: roles, roles: it?.roles ?? [], from: it?.from ?? '', text: demandText(demandIn(value)) }
}

const formIn = (form: unknown): Demand => ({
  from: z.string().catch('').parse(Object(form)['demand.from']),
  roles: roles.filter(it => [Object(form)['demand.roles']].flat().includes(it)),
})

/** Roles without a day begin today. */
function demandChanges(form: Record<string, unknown>, today: string): Change[] {
  const before = form['was.demand']
  if (typeof before !== 'string') return []
  const wanted = formIn(form)
  const from = /^\d{4}-\d\d-\d\d$/.test(wanted.from) ? wanted.from : today
  const after = demandText(wanted.roles.length ? { ...wanted, from } : undefined)
  return before === after ? [] : [{ name: demandName, label: 'Second factor', before, after, event: 'settings.demand' }]
}
