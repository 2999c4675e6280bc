import { setTimeout as after } from 'node:timers/promises'
import type { Request } from 'express'
import { accessOf, declaredBy } from '../auth/access.ts'
import type { Rights } from '../auth/roles.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm, Customer, Ports, Role } from '../crm/crm.ts'
import type { RequestContext } from '../http/context.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import type { Log } from '../platform/log.ts'
import type { Section } from '../plugin/plugin.ts'
import type { SettingRow } from '../plugin/toggles.ts'

interface Parts {
  activation: Pick<Activation, 'availablePorts'>
  crm: Crm
  log: Log
  sections: Section[]
}

/** Somebody of a list, at each of their clients. */
interface Asked {
  person: string | null
  name: string
  email: string
  clients: { client: string; name: string; role: Role }[]
  settings: SettingRow[]
}

/** How long the CRM may take, in milliseconds: what it has not said by then is not shown. */
const patience = 600
const atOnce = 6

/**
 * How much of each section waits for each of these, by the section's title; undefined where the CRM did not say in time.
 * People of one client who may do the same are asked for once.
 */
export async function waitingFor(req: Request, people: Asked[], parts: Parts) {
  const rights = req.portal.rights
  const answers = new Map<string, Promise<Map<string, number> | undefined>>()
  const until = performance.now() + patience
  const turns = Array.from({ length: atOnce }, () => Promise.resolve())
  let turn = 0
  const ask = (it: Standing) => {
    const key = JSON.stringify([it.client, it.role, it.settings])
    const known = answers.get(key)
    if (known) return known
    const at = turn++ % atOnce
    const left = () => until - performance.now()
    const answer = turns[at]!.then(() =>
      left() > 0
        ? Promise.race([countIn(req, it, rights, parts), after(left(), undefined, { ref: false })])
        : undefined,
    )
    turns[at] = answer.then(() => undefined)
    answers.set(key, answer)
    return answer
  }
  return Promise.all(people.map(async it => sumOf(await Promise.all(standingsOf(it).map(ask)))))
}

interface Standing {
  client: string
  clientName: string
  role: Role
  person: { id: string; name: string; email: string }
  settings: SettingRow[]
}

const standingsOf = ({ clients, settings, person, name, email }: Asked): Standing[] =>
  clients.map(({ client, name: clientName, role }) => ({
    ...{ client, clientName, role, person: { id: person ?? '', name, email } },
    settings: settings.filter(([its]) => !its || its === client),
  }))

function sumOf(its: (Map<string, number> | undefined)[]): Map<string, number> | undefined {
  const sum = new Map<string, number>()
  for (const it of its) {
    if (!it) return undefined
    for (const [title, count] of it) sum.set(title, (sum.get(title) ?? 0) + count)
  }
  return sum
}

async function countIn(req: Request, it: Standing, rights: Rights, { activation, crm, log, sections }: Parts) {
  const { workspace, now } = req.portal
  const customer: Customer = {
    ...{ workspace, role: it.role, person: it.person },
    client: { id: it.client, name: it.clientName },
    today: dateIn(zoneOf(workspace.timeZone), now),
  }
  const ports = activation.availablePorts(crm.connect(customer)) as Ports
  const { client, role, settings, person } = it
  const standing = { client, role, settings, rights, person: person.id, offered: (name: string) => name in ports }
  const { on, may } = accessOf(declaredBy(sections), standing)
  const context: RequestContext = { ...req.portal, customer, crm: ports, on, may }
  const counts = new Map<string, number>()
  for (const section of sections.filter(({ name, unlisted }) => !unlisted && may(`${name}.see`))) {
    const count = await section.waiting?.(context, { plugins: sections }).catch(err => {
      log.warn({ err, section: section.name }, 'what waits for somebody could not be counted')
      return undefined
    })
    if (count) counts.set(section.title, count)
  }
  return counts
}
