import type { Request } from 'express'
import { query, within } from '../../src/platform/database.ts'
import { type Host, section } from '../../src/plugin/plugin.ts'
import { jobs } from './jobs.ts'
import { deleteCopies, deletionsOf } from './requests.ts'
import { dataRoutes } from './routes.ts'

/** A copy of one's own data, and the end of one's account. What plugins keep of a person they say themselves. */
export default section({
  name: 'privacy',
  title: 'Your data',
  icon: 'user',
  order: 950,
  activity: {
    'account.copy-asked': 'asked for a copy of their data',
    'account.files-taken': {
      kind: 'download',
      sentence: 'downloaded {count, plural, one {the file} other {the # files}} that they had sent',
    },
    'account.copy-taken': { kind: 'download', sentence: 'downloaded the copy of their data' },
    'account.deletion-asked': 'asked to close their account',
    'account.deletion-withdrawn': 'kept their account',
    'account.deletion-waits':
      'has not closed the account of {name} yet, who asked for it: nobody else is an admin of {client}',
    'account.deleted': 'closed an account at its owner’s request',
  },
  stepUps: { 'account.data': { label: 'Download personal data or close the account', level: 'verification' } },
  jobs,

  privacy: {
    async prunes(owner) {
      const gone = await query(owner, {
        text: `delete from portal.client_exports where requested_at < portal.now() - interval '2 days' returning 1`,
      })
      return `${gone.length} copies of data whose day is over`
    },
  },

  capabilities: { privacy: () => ({ deleteCopies }) },
  slots: { 'account-end': { view: 'privacy/card' }, state: { view: 'privacy/leaving', data: showLeaving } },
  account: { path: 'data', routes: dataRoutes },
})

/** Of a workspace of which no more is known than its name, nothing is. */
async function showLeaving({ portal }: Request<any>, { database }: Pick<Host, 'database'>) {
  const { id: workspace } = portal.workspace
  if (!workspace) return { leaving: [] }
  return { leaving: await within(database, { workspace }, tx => deletionsOf(tx, workspace)) }
}
