import type { Client, Setting } from './clients.ts'
import { someLines, worded } from './lines.ts'
import type { Line, Offer } from './papers.ts'

type Outcome = 'draft' | 'deleted' | 'open' | 'expired' | 'accepted' | 'rejected' | 'withdrawn'

const weights: { value: Outcome; weight: number }[] = [
  { value: 'accepted', weight: 40 },
  { value: 'open', weight: 24 },
  { value: 'expired', weight: 11 },
  { value: 'rejected', weight: 10 },
  { value: 'draft', weight: 7 },
  { value: 'withdrawn', weight: 5 },
  { value: 'deleted', weight: 3 },
]

const always: Outcome[] = ['draft', 'deleted', 'open', 'expired', 'accepted', 'withdrawn']

const refusals = ['We do this ourselves this year.', 'Too expensive, sorry.', 'Another supplier was quicker.', null]

export function planProposals(setting: Setting, client: Client): Offer[] {
  const { faker, workspace } = setting
  const { proposals, groups } = workspace.vocabulary
  return outcomes(setting, client, 6).map((outcome, index) => {
    const two = faker.helpers.arrayElements(Object.keys(groups), 2)
    const offer = planOffer(setting, client, outcome, index, faker.helpers.arrayElement(proposals))
    const lines = someLines(setting, client, two, faker.number.int({ min: 1, max: 3 }), offer.created)
    return { ...offer, kind: 'proposal', lines: withOptions(lines, index) }
  })
}

export function planQuotations(setting: Setting, client: Client): Offer[] {
  const { faker, workspace } = setting
  return outcomes(setting, client, 5).map((outcome, index) => {
    const [group, subject] = faker.helpers.arrayElement(workspace.vocabulary.quotations)
    const offer = planOffer(setting, client, outcome, index, subject)
    const lines = someLines(setting, client, [group], faker.number.int({ min: 1, max: 4 }), offer.created)
    return { ...offer, kind: 'quotation', lines: index % 4 === 2 ? withOptions(lines, index) : lines }
  })
}

function outcomes({ faker }: Setting, client: Client, most: number): Outcome[] {
  if (client.role === 'empty') return []
  if (client.role === 'busy' || (client.role === 'showcase' && most === 5)) return always
  if (client.role === 'showcase') return []
  const count = faker.number.int({ min: 1, max: most })
  return Array.from({ length: count }, () => faker.helpers.weightedArrayElement(weights))
}

function planOffer(
  setting: Setting,
  client: Client,
  outcome: Outcome,
  index: number,
  title: string,
): Omit<Offer, 'kind' | 'lines'> {
  const { faker, days, workspace } = setting
  const { greetings, terms } = workspace.vocabulary
  const fresh = outcome === 'open' || outcome === 'draft'
  const issuedAt = fresh ? -faker.number.int({ min: 1, max: 24 }) : -faker.number.int({ min: 45, max: 715 })
  const issued = days.day(issuedAt)
  const draft = outcome === 'draft' || (outcome === 'deleted' && index % 2 === 1)
  const decided = outcome === 'accepted' || outcome === 'rejected'
  const sentState = outcome === 'open' || outcome === 'expired' || outcome === 'deleted' ? 'sent' : outcome
  return {
    client,
    created: issued,
    issued: draft ? null : issued,
    validUntil: draft ? null : days.day(issuedAt + 30),
    title: worded(title, issued),
    intro: faker.helpers.arrayElement(greetings),
    terms: faker.helpers.arrayElement(terms),
    state: draft ? 'draft' : sentState,
    version: index % 5 === 3 ? 2 : 1,
    discount: client.currency !== 'JPY' && index % 6 === 2 ? '7.5' : null,
    deleted: outcome === 'deleted' ? days.day(issuedAt + 2) : undefined,
    response: decided
      ? {
          day: days.day(issuedAt + faker.number.int({ min: 2, max: 28 })),
          by: faker.helpers.arrayElement(client.contacts).name,
          note: outcome === 'rejected' ? faker.helpers.arrayElement(refusals) : null,
        }
      : undefined,
  }
}

function withOptions(lines: Line[], index: number): Line[] {
  if (lines.length < 3) return lines
  return lines.map((line, position) =>
    position < lines.length - 2 ? line : { ...line, optional: true, chosen: (position + index) % 2 === 0 },
  )
}
