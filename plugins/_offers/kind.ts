import type { Request } from 'express'
import type { RequestContext } from '../../src/http/context.ts'
import type { Offers } from './port.ts'
import { statusWords } from './status-words.ts'
import { argumentOf, type Definition, wordingOf } from './wording.ts'

type Pages = ReturnType<typeof wordingOf>['pages']
type LabelContext = Pick<RequestContext, 't' | 'workspace'>

/** How a kind of offer is called, in the reader's language. */
interface Labels extends Omit<Pages, 'numbered' | 'held' | 'state' | 'chip'> {
  numbered(number: string): string
  held(number: string, day: string): string
  /** The status of one of them, for its badge. */
  state(status: string): string
  /** The same of several, above their list. */
  chip(status: string): string
}

/** One kind of offer, as its pages know it. */
export interface Kind {
  name: string
  /** Singular, as the API calls one of them. */
  one: string
  icon: string
  labels(context: LabelContext): Labels
  /** The port of the signed-in person. */
  port(context: RequestContext): Offers
  /** What all of its pages may use. */
  shared(context: RequestContext): object
  /** Of the offer that a request is about, or of what is below it. */
  address(req: Request<any>, rest?: string): string
}

export function kindOf(definition: Definition): Kind {
  const { name, one, icon } = definition
  const { pages } = wordingOf(definition)
  const labels = ({ t, workspace }: LabelContext): Labels => ({
    one: t(pages.one),
    many: t(pages.many),
    search: t(pages.search),
    filter: t(pages.filter),
    noneFits: t(pages.noneFits),
    all: t(pages.all),
    none: t(pages.none),
    withdrawn: t(pages.withdrawn, { workspace: workspace.name }),
    respond: t(pages.respond),
    back: t(pages.back),
    view: t(pages.view),
    decline: t(pages.decline),
    numbered: number => t(pages.numbered, { number }),
    held: (number, day) => t(pages.held, { number, day }),
    state: status => t(pages.state, { [argumentOf(one)]: status }),
    chip: status => t(pages.chip, { [argumentOf(name)]: status }),
  })
  return {
    ...{ name, one, icon, labels },
    port: context => (context.crm as unknown as Record<string, Offers>)[name]!,
    shared: context => ({
      kind: name,
      symbol: icon,
      labels: labels(context),
      ...statusWords(context, labels(context)),
    }),
    address: (req, rest = '') => req.portal.url(`/${name}/${encodeURIComponent(String(req.params.id))}${rest}`),
  }
}
