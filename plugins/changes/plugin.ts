import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { type Job, section } from '../../src/plugin/plugin.ts'
import { lookAt, lookingAt, watched } from './looking.ts'
import { markOf, pollChanges } from './polling.ts'

/** A record that the CRM names. */
const Named = z.object({ section: z.string(), client: z.string(), id: z.string() })

/** Looks at a record that the CRM named. */
const lookAtNamed: Job = {
  async work({ workspace: { id, slug }, data }, host) {
    const core = coreHostOf(host)
    const named = Named.safeParse(data).data
    const its = watched(host.plugins).find(it => it.name === named?.section)
    const workspace = await core.workspaces.find(slug)
    if (!named || !its || workspace?.id !== id) return undefined
    const { began } = await markOf(host, id, its.name)
    const looking = await lookingAt(host, { workspace, section: its, client: named.client, began })
    if (looking) await lookAt(looking, named.id)
    core.mailContext?.outbox.wake()
    return undefined
  },
}

/**
 * Tells people what the CRM does: it is asked once a minute what changed, or says so itself by `portal.tell`. What is new
 * about a record is for its plugin to say (`changed` of its subject).
 */
export default section({
  name: 'changes',
  title: 'Changes in the CRM',
  icon: 'refresh',
  order: 955,

  activity: {
    'changes.passed-over': 'told nobody of a mass change of {count} records: {label}',
  },

  capabilities: {
    changes: host => ({
      async tell({ workspace: slug, ...named }) {
        if (!watched(host.plugins).some(it => it.name === named.section))
          throw new TypeError(`portal.tell: nobody is told of records of ${named.section}.`)
        const workspace = await host.workspace(slug)
        if (!workspace) return
        const job = { job: 'changes.look', workspace: { id: workspace.id, slug }, data: Named.parse(named) }
        await host.database.transaction(tx => host.jobs.queue(tx, job))
        host.jobs.wake()
      },
    }),
  },

  jobs: { 'changes.poll': pollChanges, 'changes.look': lookAtNamed },
})
