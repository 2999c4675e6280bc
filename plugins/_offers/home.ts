import { daysBetween } from '../../src/crm/document.ts'
import type { Underway } from '../../src/evidence/signing.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { daysLater } from '../../src/platform/dates.ts'
import type { Done, Home, Need } from '../../src/plugin/dashboard.ts'
import { dueOnAcceptance } from './down-payment.ts'
import type { Kind } from './kind.ts'
import type { Summary } from './port.ts'

/** What waits for an answer, on the first page. */
export const homeOf =
  (kind: Kind) =>
  async (context: RequestContext): Promise<Home> => {
    const { name, icon, port, labels } = kind
    const [open, underway, toPay] = await Promise.all([
      port(context).list({ status: 'open', sort: 'urgent', size: 5 }),
      context.signing.underway(context, name),
      downPaymentsToPay(kind, context),
    ])
    // Nobody is asked for what they may not do.
    const asked = context.may(`${name}.respond`)
    const items = asked ? open.items.filter(it => !underway.has(it.id)) : []
    const { today } = context.customer
    const { numbered, held, respond } = labels(context)
    return {
      needs: items
        .map<Need>(({ id, number, title, total, validUntil }) => ({
          tone: validUntil && daysBetween(today, validUntil) < 7 ? 'warn' : '',
          icon,
          title,
          about: validUntil ? held(number, context.day(validUntil)) : numbered(number),
          amount: [total],
          path: `/${name}/${id}`,
          action: 'Review',
          by: validUntil ?? '9999-12-31',
        }))
        .concat(toPay),
      figures: [],
      actions: [{ icon, title: respond, path: `/${name}?status=open`, count: items.length, more: open.next !== null }],
      underway: open.items
        .filter(it => underway.has(it.id))
        .map(it => submitted(kind, it, underway.get(it.id)!, context)),
    }
  }

/** So many days after an acceptance its down payment is asked for here; its own page does so for longer. */
const asked = 90

/** What is left of down payments on what was accepted lately, for people who can pay it here. */
async function downPaymentsToPay({ name, icon, port, labels }: Kind, context: RequestContext): Promise<Need[]> {
  const paying = context.capability('paying')
  if (!paying?.may.every(it => context.may(`${paying.section}.${it}`))) return []
  const { items } = (await port(context).downPayments?.({ size: 20 })) ?? { items: [] }
  const since = daysLater(context.customer.today, -asked)
  const dues = items.flatMap(it => {
    const balance = (it.respondedOn ?? it.sentOn) >= since ? dueOnAcceptance(it) : undefined
    return balance ? [{ ...it, section: name, balance }] : []
  })
  const standings = dues.length ? await paying.downPayments(context, dues) : []
  return dues.flatMap(({ id, number, title, respondedOn, sentOn }, at): Need[] =>
    standings[at]?.page
      ? [
          {
            ...{ tone: '', icon, title, amount: [standings[at].left], path: `/${name}/${id}` },
            about: context.t('{document} · down payment on acceptance', { document: labels(context).numbered(number) }),
            action: 'View',
            by: respondedOn ?? sentOn,
          },
        ]
      : [],
  )
}

/** How many wait for an answer that this person may give. */
export const waitingOf =
  ({ name, port }: Kind) =>
  async (context: RequestContext): Promise<number> => {
    if (!context.may(`${name}.respond`) || !context.on(`${name}.responses`)) return 0
    const [{ counts }, underway] = await Promise.all([
      port(context).overview(),
      context.signing.underway(context, name),
    ])
    return Math.max(0, counts.open - underway.size)
  }

const submitted = ({ name }: Kind, it: Summary, { act, signer }: Underway, { t, workspace }: RequestContext): Done => ({
  title: it.title,
  text: [
    act === 'accepted' ? t('Accepted by {name}.', { name: signer }) : t('Declined by {name}.', { name: signer }),
    t('It is saved and on its way to {workspace}.', { workspace: workspace.name }),
  ].join(' '),
  path: `/${name}/${encodeURIComponent(it.id)}`,
})
