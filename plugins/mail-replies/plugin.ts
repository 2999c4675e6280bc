import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { mailReplies } from './addresses.ts'
import { checks } from './checks.ts'
import { saveAcceptance, saveDiscarding, showHeld, showOne } from './desk.ts'
import { sweepHeldFiles } from './files.ts'
import { readMailboxInTurn } from './imap.ts'
import { forgetOldMails, storedKeys } from './mails.ts'
import { receiveWebhook, webhookLimit } from './webhook.ts'

/**
 * Replies to e-mails: they arrive in a mailbox or by a webhook, and go into the conversation of the record that the mail
 * was about, if it is sure who sent them. A plugin takes part by `replies`, and by mails with a reply address of the
 * capability `mailReplies`.
 */
export default section({
  name: 'mail-replies',
  title: 'Replies by e-mail',
  icon: 'mail',
  order: 935,
  checks,
  webhook: receiveWebhook,
  webhookLimit,

  capabilities: { mailReplies },

  activity: {
    'mail-replies.accepted': 'accepted an e-mail from {from} that was held',
    'mail-replies.discarded': 'discarded an e-mail from {from} that was held',
  },

  jobs: {
    'mail-replies.read': {
      every: 60,
      async work(_job, host) {
        await readMailboxInTurn(host)
        return undefined
      },
    },
    'mail-replies.tidy': {
      every: 86_400,
      whileOff: true,
      async work({ workspace }, host) {
        await forgetOldMails(host.database, workspace.id)
        await sweepHeldFiles(host, workspace.id, await storedKeys(host.database, workspace.id))
        return undefined
      },
    },
  },

  settings: {
    path: 'held-mail',
    title: 'Held e-mails',
    icon: 'mail',
    order: 66,
    group: 'messages',
    waiting: `(select count(*)::int from (
      select from portal.client_reply_mails m where m.workspace_id = scope.workspace and m.state = 'held' limit 100) it)`,
    waits: ['{count, plural, one {# e-mail is held} other {# e-mails are held}}', 'View'],
    routes(router, host) {
      router.get('/', admins, showHeld(host))
      router.get('/:key', admins, showOne(host))
      router.post('/:key/acceptance', admins, saveAcceptance(host), showAgainOnError(showOne(host)))
      router.post('/:key/discarding', admins, saveDiscarding(host), showAgainOnError(showOne(host)))
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      replies_by_mail: await query(tx, {
        text: `select at, sender, subject, state, text from portal.client_reply_mails
               where workspace_id = $1 and by_kind = 'client' and by_id = $2::text order by at`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      const values = [workspace, person]
      await query(tx, {
        text: `delete from portal.client_reply_addresses where workspace_id = $1 and by_kind = 'client' and by_id = $2::text`,
        values,
      })
      await query(tx, {
        text: `delete from portal.client_reply_mails where workspace_id = $1 and by_kind = 'client' and by_id = $2::text`,
        values,
      })
    },
    async prunes(owner) {
      const { rowCount } = await owner.raw('delete from portal.client_reply_addresses where expires_at < portal.now()')
      return `${rowCount} reply addresses that had expired`
    },
  },
})
