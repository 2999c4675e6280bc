import { adapter } from '../demo/adapter/adapter.ts'
import { sendReminders } from '../plugins/reminders/reminding.ts'
import type { Crm } from '../src/crm/crm.ts'
import { workspaces } from '../src/crm/workspaces.ts'
import { mailHost } from '../src/mail/kinds.ts'
import { outbox } from '../src/mail/outbox.ts'
import { readClock } from '../src/platform/clock.ts'
import { unsealOrUndefined } from '../src/platform/crypto.ts'
import { jobs } from '../src/platform/jobs.ts'
import { sections } from '../src/plugin/discover.ts'
import { capabilitiesOf } from '../src/plugin/host.ts'
import { registered } from '../src/plugin/registry.ts'
import { withStores } from '../src/plugin/stores.ts'
import { type Copy, secret, setClock, today } from './database.ts'
import { storage } from './visit.ts'

const secrets = [secret]

/** Nine o’clock at the workspace. */
export const nine = `${today}T08:00:00Z`

/** The id of the Acme Bakery. */
export const acme = async ({ owner }: Copy) =>
  String((await owner('public.invoices').where({ ref_no: '2026-0107' }).first('client_id')).client_id)

export const set = ({ owner }: Copy, name: string, value: unknown, client = '', person = '') =>
  owner('portal.client_portal_settings').insert({
    ...{ workspace_id: '1', client_id: client, person_id: person, name },
    ...{ value: JSON.stringify(value), changed_by: 'a test' },
  })

export const switched = (copy: Copy, name: string, client?: string, person?: string) =>
  set(copy, name, false, client, person)

/** The CRM, with other ports. */
export const watched = (copy: Copy, change: (ports: any, customer: any) => any): Crm => {
  const crm = adapter(copy.database)
  return { ...crm, connect: (customer, tx) => change(crm.connect(customer, tx), customer) }
}

interface Going {
  at?: string
  after?: string
  crm?: Crm
  log?: string[]
  flag?: boolean
  accepted?: boolean
  /** Without these plugins. */
  without?: string[]
}

/** One round of Brightside, of one process. */
export async function round(copy: Copy, going: Going = {}) {
  const { at = nine, after, crm: theirs = adapter(copy.database), log = [], flag = true, accepted = true } = going
  const { database } = copy
  const tell = (level: string) => (_: object, sentence: string) => void log.push(`${level} ${sentence}`)
  const told = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const queue = jobs({ trusted: async () => true, database, log: told })
  const activation: any = {
    isAccepted: async () => accepted,
    isComplete: () => true,
    availablePorts: (it: object) => it,
  }
  const flags = { enabledAnywhere: () => flag, enabled: () => flag }
  const plugins = registered(
    sections.filter(it => !going.without?.includes(it.name)),
    [mailHost],
  )
  const crm = withStores(theirs, plugins, database, { files: storage })
  const known = workspaces({ crm, database, log: told })
  const transport = undefined
  const posts = outbox({ database, activation, flags, jobs: queue, log: told, secrets, transport, workspaces: known })
  const mailContext = { database, outbox: posts, secrets, address: 'https://crm.example/portal', limits: {} as any }
  const parts = { crm, database, activation, flags, log: told, mailContext, workspaces: known, plugins }
  const capability = capabilitiesOf(plugins, () => parts as any)
  await setClock(copy.owner, at)
  await readClock(database, told)
  return sendReminders({ workspace: '1', slug: 'brightside', after }, { ...parts, capability })
}

/** What was mailed of this kind, by address, as it is read. */
export async function mailed({ owner }: Copy, kinds: string[]) {
  const rows = await owner('portal.client_outbox').whereIn('kind', kinds).orderBy(['recipient', 'id'])
  return rows.map((it): { id: string; kind: string; recipient: string; subject: string; text: string } => ({
    ...it,
    text: it.sealed ? JSON.parse(unsealOrUndefined(it.sealed, secrets, 'mail')!).text : '',
  }))
}
