import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { type Host, section } from '../../src/plugin/plugin.ts'
import { sendDigests } from './digest.ts'
import { tellFailures } from './failures.ts'
import { tellCrm } from './in-crm.ts'
import { mails } from './mails.ts'
import { rulesOf } from './rules.ts'
import { saveStaffMails, showStaffMails } from './settings.ts'
import { tellEntry, tellMessages, tellOutcome, tellUploads, tellWaiting } from './tell.ts'

/**
 * Mails staff of what clients do: right away, or once a day. Acceptances, rejections, questions, messages and uploads come with their
 * event, in its transaction; nothing is ever looked for in the past.
 */
export default section({
  name: 'staff-mails',
  title: 'Staff mails',
  icon: 'mail',
  order: 930,
  mails,
  activity: {
    'staff-mails.changed': 'changed what staff are e-mailed, and whom',
  },

  followUps: {
    accepted: 'staff-mails.tell',
    declined: 'staff-mails.tell',
    commented: 'staff-mails.tell',
    disputed: 'staff-mails.tell',
    uploaded: 'staff-mails.tell',
    begun: 'staff-mails.tell',
    written: 'staff-mails.tell',
  },

  jobs: {
    'staff-mails.tell': {
      async work({ workspace, data }, host) {
        const parts = partsOf(host)
        if (parts) await tellEntry(workspace, data.entry, parts)
        return undefined
      },
    },
    'staff-mails.uploads': {
      async work({ workspace, data }, host) {
        const parts = partsOf(host)
        if (parts) await tellUploads(workspace, data.entry, parts)
        return undefined
      },
    },
    'staff-mails.messages': {
      async work({ workspace, data }, host) {
        const parts = partsOf(host)
        if (parts) await tellMessages(workspace, data.entry, parts)
        return undefined
      },
    },
    'staff-mails.outcome': {
      async work({ workspace, data }, host) {
        const parts = partsOf(host)
        if (parts) await tellOutcome(workspace, data.entry, parts)
        return undefined
      },
    },
    'staff-mails.countersign': {
      async work({ workspace, data }, host) {
        const parts = partsOf(host)
        if (parts) await tellWaiting(workspace, data.entry, parts)
        return undefined
      },
    },
    'staff-mails.crm': tellCrm,
    'staff-mails.failures': {
      every: 3_600,
      async work({ workspace }, host) {
        const parts = partsOf(host)
        if (parts) await tellFailures(workspace, parts)
        return undefined
      },
    },
    'staff-mails.digest': {
      every: 900,
      async work({ workspace }, host) {
        const parts = partsOf(host)
        if (parts) await sendDigests(workspace, parts)
        return undefined
      },
    },
  },

  capabilities: {
    staffMails: ({ database }) => ({
      language: async workspace => (await rulesOf(database, workspace)).language || undefined,
    }),
  },

  privacy: {
    async prunes(owner) {
      const gone = await query(owner, {
        text: `delete from portal.client_staff_mails
               where not waiting and at < portal.now() - interval '90 days' returning 1`,
      })
      await query(owner, {
        text: `delete from portal.client_staff_digests where at < portal.now() - interval '90 days'`,
      })
      return `${gone.length} notes of mails to staff sent 90 days ago`
    },
  },

  settings: {
    title: 'Staff mails',
    icon: 'mail',
    order: 62,
    group: 'messages',
    routes(router, host) {
      const core = coreHostOf(host)
      const show = showStaffMails(core)
      router.get('/', admins, show)
      router.post('/', admins, saveStaffMails(core), showAgainOnError(show))
    },
  },
})

/** Undefined where no mail is sent. */
function partsOf(host: Host) {
  const core = coreHostOf(host)
  const { crm, mailContext, settingsAddress } = core
  return (mailContext || crm.notify) && settingsAddress ? { ...core, mailContext, settingsAddress } : undefined
}
