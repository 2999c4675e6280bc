import type { Questions } from '../../src/crm/mapping/section.ts'
import { pageOf } from '../../src/http/paging.ts'
import { Payment, type Payments, Receipt } from './port.ts'

type Filter = Parameters<Payments['list']>[0]

/** All that the pages of payments ask, for `doctor`. */
export const questions: Questions<Payments> = (port, { id, today }) => {
  const list = (filter: Partial<Filter>) => async () => pageOf(Payment).parse(await port.list({ size: 20, ...filter }))
  const secondPage = async () => {
    const { next } = await port.list({ size: 1 })
    return next && list({ after: next })()
  }
  return {
    'the list': list({}),
    'the list of a year': list({ year: Number(today.slice(0, 4)) }),
    'the list of a method': list({ method: 'card' }),
    'a search in the list': list({ search: '1' }),
    'the second page of the list': secondPage,
    'the years': () => port.years(),
    ...(id === undefined ? {} : { 'one payment': async () => Receipt.parse(await port.find(id)) }),
  }
}
