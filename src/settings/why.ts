import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { accessOf, type Decision, declaredBy } from '../auth/access.ts'
import { limitIn } from '../auth/approval-limit.ts'
import { type Rights, rightsOf } from '../auth/roles.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm, Customer, Ports } from '../crm/crm.ts'
import { NotFound } from '../http/errors.ts'
import { words } from '../http/filter.ts'
import type { Page } from '../http/paging.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import { above, type Money } from '../platform/money.ts'
import type { Section } from '../plugin/plugin.ts'
import { type Member, membersLike } from './members.ts'

interface Parts {
  activation: Pick<Activation, 'availablePorts'>
  crm: Crm
  database: Knex
  sections: Section[]
}

/** Explains why a person can, or cannot, see a section or one of its records: the rule that decides, and where to change it. */
export function showWhy({ activation, crm, database, sections }: Parts): RequestHandler {
  const declared = declaredBy(sections)
  const kinds = sections.filter(it => `${it.name}.see` in it.permissions)
  return async (req, res) => {
    const asked = Asked.parse(req.query)
    const { workspace } = req.portal
    const people = asked.search ? await membersLike(database, workspace.id, asked.search) : []
    const chosen = people.find(it => it.person === asked.person && it.client === asked.client)
    const person = chosen ?? (people.length === 1 ? people[0] : undefined)
    const section = kinds.find(it => it.name === asked.section)
    const rights = await rightsOf(database, workspace.id)
    res.respond('settings/why', {
      asked,
      people,
      kinds,
      person,
      section,
      answer: person && section && (await answerOf(req, { person, section, rights })),
    })
  }

  async function answerOf(req: Request, { person, section, rights }: Found): Promise<Answer> {
    if (person.suspended) return { sees: false, rule: 'suspended', actions: [] }
    const customer = customerOf(req, person)
    const ports = activation.availablePorts(crm.connect(customer)) as Record<string, Port | undefined>
    const { settings } = person
    const standing = { ...person, rights, settings, offered: (it: string) => it in ports }
    const access = accessOf(declared, standing)
    const decision = access.decide(`${section.name}.see`)
    const { record } = Asked.parse(req.query)
    const found = decision.allowed && record ? await recordOf(ports[section.name], record) : undefined
    const actions = await actionsOf({ section, person, access, ports, found })
    if (!decision.allowed) return { sees: false, ...decision, actions }
    if (!record) return { sees: true, rule: 'role', actions }
    return found ? { sees: true, rule: 'record', found, actions } : { sees: false, rule: 'record', actions: [] }
  }
}

type Answer = (Omit<Decision, 'allowed'> | { rule: 'suspended' | 'record'; found?: RecordFound }) & {
  sees: boolean
  /** What else they can do in the section, each with the rule that decides. */
  actions: Action[]
}

/**
 * `answerless`: the CRM takes no responses. `state`: the record waits for no response any more. `limit`: it is above what
 * they may accept.
 */
type Action = { permission: string; label: string } & (
  | Decision
  | { allowed: false; rule: 'answerless' | 'state' }
  | { allowed: false; rule: 'limit'; limit: Money }
)

interface Asking {
  section: Section
  person: Member
  access: ReturnType<typeof accessOf>
  ports: Record<string, Port | undefined>
  found: RecordFound | undefined
}

/** Every permission of the section but the one to see it. */
const actionsOf = (asking: Asking): Promise<Action[]> =>
  Promise.all(
    Object.entries(asking.section.permissions)
      .filter(([permission]) => !permission.endsWith('.see'))
      .map(async ([permission, { label }]) => {
        const decision = asking.access.decideAction(permission)
        const more = decision.allowed ? await hindranceOf(permission, asking) : undefined
        return { permission, label, ...(more ?? decision) }
      }),
  )

/** What of the CRM or the record keeps somebody from answering, who is allowed to. */
async function hindranceOf(permission: string, { section, person, ports, found }: Asking) {
  const expiring = section.subject?.expiring
  if (!expiring?.may.some(it => permission === `${section.name}.${it}`)) return undefined
  const ofCrm = ports as Partial<Ports>
  if (!expiring.answerable(ofCrm)) return { allowed: false, rule: 'answerless' } as const
  if (!found) return undefined
  const pending = await expiring.find(ofCrm, found.id)
  if (!pending) return { allowed: false, rule: 'state' } as const
  const limit = limitIn(person.settings, person.client, person.person, person.role)
  return limit && above(pending.total, limit) ? ({ allowed: false, rule: 'limit', limit } as const) : undefined
}

interface RecordFound {
  id: string
  number?: string
  title?: string
}

interface Port {
  list?(filter: object): Promise<Page<RecordFound>>
  find?(id: string): Promise<RecordFound>
}

/** By its number, or by its id. Undefined where this client does not have it: another's, a draft, deleted, or none at all. */
async function recordOf(port: Port | undefined, record: string): Promise<RecordFound | undefined> {
  const listed = await port?.list?.({ search: record, sort: 'newest', size: 50 })
  const numbered = listed?.items.find(it => it.number?.toLowerCase() === record.toLowerCase())
  if (numbered) return numbered
  return port?.find?.(record).catch(error => {
    if (error instanceof NotFound) return undefined
    throw error
  })
}

interface Found {
  person: Member
  section: Section
  rights: Rights
}

function customerOf(req: Request, it: Member): Customer {
  const { workspace, now } = req.portal
  return {
    ...{ workspace, role: it.role, client: { id: it.client, name: it.clientName } },
    person: { id: it.person, name: it.name, email: it.email },
    today: dateIn(zoneOf(workspace.timeZone), now),
  }
}

const Asked = z.object({
  search: words.catch(''),
  person: z.string().max(100).catch(''),
  client: z.string().max(200).catch(''),
  section: z.string().max(50).catch(''),
  record: words.catch(''),
})
