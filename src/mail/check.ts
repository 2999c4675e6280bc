import type { Check } from '../crm/activation/checks.ts'
import { refusal, type Transport } from './transport.ts'

/** Whether mails leave. Without any the portal offers nothing that needs one, which is no fault. */
export async function checkMail(mail: { url: string } | { send: Transport } | 'kept' | undefined): Promise<Check> {
  if (!mail) return { label: 'no mail is sent, and nothing that needs it is offered', problems: [] }
  if (mail === 'kept') return { label: 'mail is kept, and not sent', problems: [] }
  if ('send' in mail) return { label: 'mail leaves by a function of your own', problems: [] }
  const why = await refusal(mail.url)
  return {
    label: `the mail server answers (${new URL(mail.url).host})`,
    problems: why ? [`${why}: start it, or correct SMTP_URL`] : [],
  }
}
