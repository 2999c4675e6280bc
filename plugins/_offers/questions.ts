import { z } from 'zod'
import { questionsOfList } from '../../src/crm/mapping/listing.ts'
import type { Questions } from '../../src/crm/mapping/section.ts'
import type { ClientResponse } from '../../src/crm/response.ts'
import { Conflict } from '../../src/http/errors.ts'
import { Offer, type Offers, Overview, Summary, sorts, statuses } from './port.ts'

/** All that the pages of offers ask, for `doctor`. What a response would write is planned, and not run. */
export const questions: Questions<Offers> = (port, { id, today }) => ({
  ...questionsOfList(port, { statuses, sorts, item: Summary }),
  ...(port.downPayments
    ? { 'down payments': async () => z.array(Summary).parse((await port.downPayments?.({ size: 5 }))?.items) }
    : {}),
  'the overview': async () => Overview.parse(await port.overview()),
  ...(id === undefined
    ? {}
    : {
        'one document': async () => Offer.parse(await port.find(id)),
        'an acceptance': () => respond(port, id, responseOn(today, 'accepted')),
      }),
})

const respond = async (port: Offers, id: string, response: ClientResponse) =>
  port.respond?.(id, response).catch(error => {
    if (!(error instanceof Conflict)) throw error
  })

const responseOn = (today: string, act: ClientResponse['act']): ClientResponse => ({
  key: '00000000-0000-4000-8000-000000000000',
  act,
  version: 1,
  at: new Date(`${today}T12:00:00Z`),
  on: today,
  by: { name: 'Nobody', email: 'nobody@portico.invalid', contact: null },
  reason: null,
  orderNumber: null,
  requestedOn: null,
  selection: null,
})
