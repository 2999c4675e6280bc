import { coreHostOf } from '../src/auth/host.ts'
import { anybody } from '../src/http/rules.ts'
import type { NotificationFacts } from '../src/notifications/kinds.ts'
import { notifyPeople, type Reader } from '../src/notifications/notify.ts'
import { readClock } from '../src/platform/clock.ts'
import { query, within } from '../src/platform/database.ts'
import { type Host, type Section, section } from '../src/plugin/plugin.ts'
import { open, type Role, type Scene, whoIs } from './visit.ts'

interface Told {
  kind: string
  to?: Role[]
  section?: string
  id?: string
  key?: string
  facts: NotificationFacts
}

/** A portal, and what a plugin does to tell people of something. */
export interface Telling extends Scene {
  host: Host
  /** Tells these people of Acme, the owner if none are named. Gives the ids of those who were told. */
  tell(it: Told): Promise<string[]>
  /** Does a job of a plugin once. */
  perform(job: `${string}.${string}`, data?: object): Promise<object | undefined>
}

const workspace = { id: '1', slug: 'brightside' }

export async function openTelling(options: Parameters<typeof open>[0] = {}): Promise<Telling> {
  let host: Host | undefined
  const listener: Section = section({
    ...{ name: 'listener', title: 'Listener', icon: 'bell', order: 999 },
    public: {
      path: 'listener',
      routes(router, its) {
        host = its
        router.get('/', anybody, (_req, res) => void res.end())
      },
    },
  })
  const scene = await open({ ...options, plugins: [listener, ...(options.plugins ?? [])] })
  const core = coreHostOf(host!)
  await readClock(scene.database, core.log)
  return {
    ...scene,
    host: host!,
    async tell({ to = ['owner'], section: its = 'documents', id = '', ...notice }) {
      const branded = (await core.workspaces.find(workspace.slug))!
      const told = await within(scene.database, { workspace: workspace.id }, async tx => {
        const readers = await query<Reader>(tx, {
          text: `select u.id::text, u.name, u.email, u.language, u.time_zone as "timeZone" from portal.client_users u
                 where u.workspace_id = '1' and u.email = any($1)`,
          values: [to.map(it => whoIs(it).email)],
        })
        const record = { client: '1', section: its, id, ...(its === 'proposals' && { rest: '#talk' }) }
        const mail = () => ({ facts: { count: 1, ...(notice.facts as Record<string, string>) } })
        const req = { portal: { workspace: branded, locale: 'en-GB' } }
        return notifyPeople(tx, host!, req, readers, { ...notice, record, mail })
      })
      core.mailContext?.outbox.wake()
      return told
    },
    async perform(job, data = {}) {
      const [, it] = host!.plugins.flatMap(one => Object.entries(one.jobs ?? {})).find(([name]) => name === job)!
      return it.work({ workspace, data }, host!)
    },
  }
}
