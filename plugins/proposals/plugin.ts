import { z } from 'zod'
import { record } from '../../src/activity.ts'
import { daysBetween, grouped } from '../../src/document.ts'
import { filterOf } from '../../src/filter.ts'
import { pageOf } from '../../src/page.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { sendPdf } from '../../src/pdf/print.ts'
import { may, section } from '../../src/section.ts'
import { Overview, Proposal, Summary, sorts, statuses } from './port.ts'
import { printed } from './print.ts'
import { words } from './words.ts'

const Filter = filterOf({ statuses, sorts })

export default section({
  name: 'proposals',
  title: 'Proposals',
  icon: 'file-text',
  order: 10,

  permissions: {
    'proposals.see': { label: 'See proposals', roles: ['admin', 'approver', 'member', 'viewer'] },
  },

  toggles: {
    proposals: {
      label: 'Proposals',
      about: 'Clients see what you proposed to them, with its state and total.',
      default: true,
    },
  },

  answers: {
    'proposals/list': pageOf(Summary).extend({ overview: Overview }),
    'proposals/show': z.object({ proposal: Proposal }),
  },

  activity: {
    'proposals.viewed': 'looked at proposal {number}',
    'proposals.downloaded': 'downloaded proposal {number}',
  },

  async home({ crm, customer: { today }, t, day }) {
    const { items } = await crm.proposals.list({ status: 'open', sort: 'urgent', size: 5 })
    return {
      needs: items.map(({ id, number, title, total, validUntil }) => ({
        tone: validUntil && daysBetween(today, validUntil) < 7 ? 'warn' : '',
        icon: 'file-text',
        title,
        about: validUntil
          ? t('Proposal {number} · the price holds until {day}', { number, day: day(validUntil) })
          : t('Proposal {number}', { number }),
        amount: [total],
        path: `/proposals/${id}`,
        action: 'Review',
        by: validUntil ?? '9999-12-31',
      })),
      figures: [],
    }
  },

  routes(router) {
    router.get('/', may('proposals.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { proposals } = req.portal.crm
      const [page, overview] = await Promise.all([proposals.list(filter), proposals.overview()])
      res.answer('proposals/list', { filter, overview, ...page, ...words(req.portal) })
    })

    router.get('/:id', may('proposals.see'), async (req, res) => {
      const proposal = await req.portal.crm.proposals.find(String(req.params.id))
      await record(req, { event: 'proposals.viewed', subject: proposal })
      res.answer('proposals/show', { proposal, groups: grouped(proposal.lines), ...words(req.portal) })
    })

    router.get('/:id/pdf', may('proposals.see'), async (req, res) => {
      const { crm, t } = req.portal
      const proposal = await crm.proposals.find(String(req.params.id))
      const own = await crm.proposals.pdf?.(proposal.id)
      const name = t('Proposal {number}', { number: proposal.number })
      const pdf = own ?? { name, bytes: await pdfOf(printed(proposal, req.portal)) }
      await record(req, { event: 'proposals.downloaded', subject: proposal })
      sendPdf(req, res, pdf)
    })
  },
})
