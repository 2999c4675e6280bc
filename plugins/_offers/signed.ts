import type { ClientResponse, TakesResponses } from '../../src/crm/response.ts'
import type { SignedResponse, SignedSubject, Submission } from '../../src/evidence/subject.ts'
import { type Content, contentOf, offerOf } from './content.ts'
import type { Kind } from './kind.ts'
import type { Offer, Offers } from './port.ts'
import { printed } from './print.ts'
import { changesBetween } from './since-signed.ts'

/** How a kind of offer is signed. */
export const signedOffer = ({ labels }: Pick<Kind, 'labels'>): SignedSubject<Offers, Content> => ({
  async read(port, id) {
    const offer = await port.find(id)
    return { content: contentOf(offer), open: offer.status === 'open' }
  },
  print: (content, reader) => printed(offerOf(content, 'accepted'), labels(reader).one, reader),
  summary: ({ title, total }, { money }) => ({ title, total: money(total) }),
  submission: port => submissionOf(port) ?? written(port),
  differs: (signed, now, reader) => changesBetween(signed, now, reader).length > 0,
  fixed: ({ lines, sums, total, dueOnAcceptance, ...content }) => content,
})

const submissionOf = (port: TakesResponses): Submission<Content> | undefined =>
  port.submit && { transactional: false, submit: async (id, it) => port.submit?.(id, answerOf(it)) }

const written = (port: TakesResponses): Submission<Content> | undefined =>
  port.respond && { transactional: true, submit: async (id, it) => port.respond?.(id, answerOf(it)) }

/** As ports take it. */
function answerOf({ content, selection, order, ...response }: SignedResponse<Content>): ClientResponse {
  const lines = content.lines
    .filter(it => it.optional && it.id)
    .map(({ id, chosen, quantity, total }) => ({ id, chosen, quantity, total }))
  return {
    ...response,
    orderNumber: order.number,
    requestedOn: order.requestedOn,
    selection: selection === 'own' ? { lines, sums: content.sums } : null,
  }
}

/** What its evidence names it by, with what is signed. */
export const naming = (offer: Offer) => ({
  id: offer.id,
  version: offer.version,
  number: offer.number,
  content: contentOf(offer),
})
