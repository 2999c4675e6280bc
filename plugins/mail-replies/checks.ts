import type { PluginDefinition } from '../../src/plugin/plugin.ts'
import { mailboxFault } from './imap.ts'

/** What must hold so that replies arrive. None of it where no address is set: then no mail names one. */
export const checks: NonNullable<PluginDefinition['checks']> = async ({ replies }) => {
  if (!replies) return []
  const { address, imap, webhookSecret } = replies
  const isReceiving = imap || webhookSecret
  const problem = `${address} is set, but nothing reads what arrives there: set REPLY_IMAP or REPLY_WEBHOOK_SECRET`
  const means = { label: `replies to mails arrive (${address})`, problems: isReceiving ? [] : [problem] }
  if (!imap) return [means]
  const fault = await mailboxFault(imap)
  const problems = fault ? [`${fault}: start the server, or correct REPLY_IMAP`] : []
  return [means, { label: `the mailbox of replies can be read (${new URL(imap).host})`, problems }]
}
